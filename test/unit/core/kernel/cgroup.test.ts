import { expect } from "chai";
import {
  parseCpuacctStat,
  parseCpuMax,
  parseCpuQuota,
  parseCpuStat,
  parseGroupMemory,
  parseMemoryLimit,
  parseOwnGroups,
  parseProcs,
} from "../../../../core/kernel/cgroup.js";

describe("what control groups say", () => {
  it("names this process's own groups, of both versions", () => {
    const text =
      "9:name=systemd:/\n4:memory:/process_api/e29e\n2:cpu,cpuacct:/a b\n0::/user.slice\nrubbish\n";
    expect([...parseOwnGroups(text)]).to.deep.equal([
      ["name=systemd", "/"],
      ["memory", "/process_api/e29e"],
      ["cpu", "/a b"],
      ["cpuacct", "/a b"],
      ["", "/user.slice"],
    ]);
  });

  it("leaves out a group that lies outside of what this process may see", () => {
    expect(parseOwnGroups("0::/../other\n").size).to.equal(0);
  });

  it("limits processors by quota and period", () => {
    expect(parseCpuMax("150000 100000\n")).to.equal(1.5);
    expect(parseCpuQuota("50000\n", "100000\n")).to.equal(0.5);
    for (const text of ["max 100000\n", "", "1\n", "0 100000", "5 0", "-1 100000"])
      expect(parseCpuMax(text), text).to.equal(undefined);
    expect(parseCpuQuota("-1\n", "100000\n")).to.equal(undefined);
  });

  it("limits memory, and knows the figures that mean no limit", () => {
    expect(parseMemoryLimit("536870912\n")).to.equal(536870912);
    for (const text of ["max\n", "9223372036854771712\n", "9223372036854710272", "", "0", "-1", "1e9"])
      expect(parseMemoryLimit(text), text).to.equal(undefined);
  });

  it("counts time in seconds", () => {
    const stat = "usage_usec 3500000\nuser_usec 2500000\nsystem_usec 1000000\nnr_periods 0\n";
    expect(parseCpuStat(stat)).to.deep.equal({ userSeconds: 2.5, systemSeconds: 1 });
    expect(parseCpuacctStat("user 250\nsystem 50\n", 100)).to.deep.equal({
      userSeconds: 2.5,
      systemSeconds: 0.5,
    });
    expect(parseCpuStat("usage_usec 1\n")).to.equal(undefined);
    expect(parseCpuacctStat("user x\nsystem 1\n", 100)).to.equal(undefined);
  });

  it("counts no memory that would be given back at once", () => {
    expect(parseGroupMemory("1000\n", "inactive_file 300\nactive_file 5\n")).to.equal(700);
    expect(parseGroupMemory("1000\n", "inactive_file 100\ntotal_inactive_file 400\n")).to.equal(600);
    expect(parseGroupMemory("1000\n", "")).to.equal(1000);
    expect(parseGroupMemory("10\n", "inactive_file 300\n")).to.equal(0);
    expect(parseGroupMemory("", "inactive_file 300\n")).to.equal(undefined);
  });

  it("lists a group's processes", () => {
    expect(parseProcs("12\n\n0\nx\n13\n")).to.deep.equal([12, 13]);
  });
});
