import { expect } from "chai";
import { sampleSchema } from "../../../../core/records/hosts/sample.js";
import type { Reading } from "../../../../monitor/sampling/reading.js";
import { MOST_INSTANCES, sampleBetween } from "../../../../monitor/sampling/sample-between.js";

const MEGABYTE = 1024 * 1024;

const reading = (monotonicMs: number, change: Partial<Reading> = {}): Reading => ({
  monotonicMs,
  cpu: { user: 0, system: 0, iowait: 0, steal: 0, idle: 0, cpus: 2 },
  cpuLimit: undefined,
  memory: { usedBytes: 250 * MEGABYTE, totalBytes: 1000 * MEGABYTE },
  load1: 0.5,
  waitedMicroseconds: { cpu: 0, memory: 0, io: 0 },
  disk: { usedBytes: 30 * MEGABYTE, availableBytes: 70 * MEGABYTE },
  network: { received: 1000, sent: 1000 },
  instances: new Map(),
  ...change,
});
const instance = (cpuSeconds: number, restarts = 0, memoryBytes = MEGABYTE) => ({
  cpuSeconds,
  memoryBytes,
  restarts,
});

describe("a sample between two readings", () => {
  it("has the processors' shares by the kernel's own ticks; what was stolen counts as busy", () => {
    const cpu = { user: 100, system: 20, iowait: 30, steal: 10, idle: 40, cpus: 2 };
    expect(sampleBetween(reading(0), reading(1000, { cpu })).cpu).to.deep.equal({
      user: 50,
      system: 10,
      iowait: 15,
      steal: 5,
      busy: 65,
    });
  });

  it("is of what a quota leaves of the machine", () => {
    const used = (userSeconds: number, systemSeconds: number) => ({
      cpuLimit: { cpus: 0.5, used: { userSeconds, systemSeconds } },
    });
    const sample = sampleBetween(reading(0, used(10, 5)), reading(2000, used(10.6, 5.3)));
    expect(sample).to.deep.include({ cpus: 0.5 });
    expect(sample.cpu).to.include({ user: 60, system: 30, busy: 90 });
  });

  it("has rates by the time that has passed, and levels as they are", () => {
    const after = reading(2000, {
      waitedMicroseconds: { cpu: 500_000, memory: 0, io: 2_000_000 },
      network: { received: 5000, sent: 0 },
    });
    const sample = sampleBetween(reading(0), after);
    expect(sample.pressure).to.deep.equal({ cpu: 25, memory: 0, io: 100 });
    expect(sample.network).to.deep.equal({ receivedBytes: 2000, sentBytes: 0 });
    expect(sample.memory).to.deep.equal({ usedMegabytes: 250, totalMegabytes: 1000, percent: 25 });
    expect(sample.disk).to.include({ percent: 30 });
  });

  it("leaves out what the kernel does not tell", () => {
    const bare = { load1: undefined, waitedMicroseconds: undefined, disk: undefined, network: undefined };
    expect(sampleBetween(reading(0, bare), reading(1000, bare))).to.have.all.keys(
      "cpus",
      "cpu",
      "memory",
      "instances",
    );
  });

  it("counts an instance's time of the host's size, also after a restart and when it is new", () => {
    const before = reading(0, {
      instances: new Map([
        ["a", instance(10)],
        ["b", instance(50)],
        ["c", instance(5)],
      ]),
    });
    const after = reading(1000, {
      instances: new Map([
        ["a", instance(11)],
        ["b", instance(0.5, 1)],
        ["c", instance(3)],
        ["d", instance(0.2)],
      ]),
    });
    const { instances } = sampleBetween(before, after);
    expect(instances["a"]).to.deep.equal({ cpu: 50, memoryMegabytes: 1, restarts: 0 });
    expect(instances["b"], "restarted").to.include({ cpu: 25, restarts: 1 });
    expect(instances["c"], "a process went unwaited").to.include({ cpu: 0 });
    expect(instances["d"], "new").to.include({ cpu: 10 });
  });

  it("stays within what may be kept, whatever the counters do", () => {
    const cpu = { user: 5, system: 5, iowait: 5, steal: 5, idle: 5, cpus: 2 };
    const many = new Map(
      Array.from(
        { length: MOST_INSTANCES + 5 },
        (_, index) => [`a.v1.web.${index}`, instance(1, 0, index)] as const,
      ),
    );
    const sample = sampleBetween(
      reading(5000, { cpu, waitedMicroseconds: { cpu: 9e9, memory: 1, io: 1 } }),
      reading(5000, { instances: many, memory: { usedBytes: 0, totalBytes: 0 } }),
    );
    expect(sampleSchema.parse(sample)).to.deep.equal(sample);
    expect(sample.instances).to.have.property(`a.v1.web.${MOST_INSTANCES + 4}`);
    expect(Object.keys(sample.instances)).to.have.length(MOST_INSTANCES);
  });
});
