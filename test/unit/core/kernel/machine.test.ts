import { expect } from "chai";
import fc from "fast-check";
import { parseAuxv } from "../../../../core/kernel/auxv.js";
import { parseLoadavg } from "../../../../core/kernel/loadavg.js";
import { parseMeminfo } from "../../../../core/kernel/meminfo.js";
import { parseNetDev } from "../../../../core/kernel/net-dev.js";
import { parsePressure } from "../../../../core/kernel/pressure.js";
import { parseProcessStat } from "../../../../core/kernel/process-stat.js";
import { parseStat } from "../../../../core/kernel/stat.js";

const STAT = `cpu  574699 11745 222073 1780001 9188 7 64952 540 3 0
cpu0 285261 5863 107601 899149 1373 0 31612 271 0 0
cpu1 289438 5882 114472 880852 7815 0 33339 269 0 0
intr 123 0 0
ctxt 5
`;
const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 57199930680 328376735    0    0    0     0          0         0 57199930680 328376735    0    0    0     0       0          0
  ifb0:       5       0    0    0    0     0          0         0        5       0    0    0    0     0       0          0
  eth0: 1453666065   51287    0    0    0     0          0         0  8539142   44383    0    0    0     0       0          0
 wlan0:7 1 0 0 0 0 0 0 11 1 0 0 0 0 0 0
`;

describe("what the kernel says about the machine", () => {
  it("has the processors' times, with interrupts in system and nice in user", () => {
    expect(parseStat(STAT)).to.deep.equal({
      user: 586444,
      system: 287032,
      iowait: 9188,
      steal: 540,
      idle: 1780001,
      cpus: 2,
    });
  });

  it("has them from a kernel that counts no steal", () => {
    expect(parseStat("cpu  1 2 3 4 5 6 7\ncpu0 1 2 3 4 5 6 7\n")).to.include({
      steal: 0,
      iowait: 5,
      cpus: 1,
    });
  });

  it("has the memory that could be had", () => {
    const text = "MemTotal:       24684084 kB\nMemFree:        24237864 kB\nMemAvailable:   24252356 kB\n";
    expect(parseMeminfo(text)).to.deep.equal({ totalKilobytes: 24684084, availableKilobytes: 24252356 });
    expect(parseMeminfo("MemTotal: 10 kB\nMemAvailable: 12 kB\n")?.availableKilobytes).to.equal(10);
    expect(parseMeminfo("MemTotal: 0 kB\nMemAvailable: 0 kB\n")).to.equal(undefined);
  });

  it("has pressure, load and the network without loopback and inner interfaces", () => {
    const pressure = "some avg10=31.22 avg60=7.35 avg300=8.27 total=2192726986\nfull avg10=0.00 total=3\n";
    expect(parsePressure(pressure)).to.equal(2192726986);
    expect(parseLoadavg("0.83 0.67 0.99 3/111 27670\n")).to.equal(0.83);
    expect(parseNetDev(NET_DEV)).to.deep.equal({ received: 1453666072, sent: 8539153 });
  });

  it("has a process's group, time and memory, whatever the process calls itself", () => {
    const rest =
      "R 28096 28097 25832 0 -1 4194304 97 0 0 0 10 20 30 40 20 0 1 0 1348650 3133440 406 18446744073709551615 1";
    for (const name of ["cat", "a) R 1 2 (b", ") R 0 0 0", "new\nline", ""])
      expect(parseProcessStat(`28103 (${name}) ${rest}\n`), name).to.deep.equal({
        group: 28097,
        ticks: 100,
        residentPages: 406,
      });
  });

  it("has the units it counts in", () => {
    const pairs = [33n, 1n, 6n, 65536n, 17n, 250n, 0n, 0n];
    const bytes = Buffer.alloc(pairs.length * 8);
    pairs.forEach((value, index) => bytes.writeBigUInt64LE(value, index * 8));
    expect(parseAuxv(bytes)).to.deep.equal({ pageBytes: 65536, ticksPerSecond: 250 });
    expect(parseAuxv(Buffer.alloc(7))).to.deep.equal({ pageBytes: 4096, ticksPerSecond: 100 });
  });

  it("is undefined when it is cut short, empty or not in the format", () => {
    for (const text of ["", "cpu", "cpu  1 2", "cpu  1 2 x 4 5 6 7 8\n", "cpu0 1 2 3 4\n", "cpu  -1 2 3 4\n"])
      expect(parseStat(text), text).to.equal(undefined);
    for (const text of ["", "MemTotal: 1 kB", "MemTotal: x kB\nMemAvailable: 1 kB\n"])
      expect(parseMeminfo(text), text).to.equal(undefined);
    for (const text of ["", "some avg10=1", "full total=4", "some total=99999999999999999999999"])
      expect(parsePressure(text), text).to.equal(undefined);
    for (const text of ["", "1", "-1.00 0", "nan 1 2"]) expect(parseLoadavg(text), text).to.equal(undefined);
    for (const text of ["", "1 (a) R 1", "1 (a R 1 1 1", "1 (a) R 1 x 1"])
      expect(parseProcessStat(text), text).to.equal(undefined);
    expect(parseNetDev("eth0: 1 2 3\n")).to.equal(undefined);
  });

  it("never throws and never makes a figure that is no number", () => {
    const parsers = [parseStat, parseMeminfo, parsePressure, parseLoadavg, parseNetDev, parseProcessStat];
    const line = fc.constantFrom(
      "cpu ",
      "cpu1 ",
      "some ",
      "total=",
      "MemTotal:",
      "1 (",
      ") ",
      " kB",
      "\n",
      ":",
    );
    const part = fc.oneof(line, fc.nat().map(String), fc.string());
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        for (const parse of parsers)
          for (const value of Object.values(Object(parse(parts.join(" "))) as Record<string, unknown>))
            expect(value).to.satisfy(Number.isFinite);
      }),
    );
  });
});
