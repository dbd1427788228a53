import { expect } from "chai";
import {
  decideSize,
  type HostLoad,
  type SizeView,
} from "../../../../provisioning/fleet/sizing/decide-size.js";

const NOW = 10_000_000;

function host(name: string, more: Partial<HostLoad> = {}): HostLoad {
  const cpu = { cpu: 30, cpuBefore: 30, cpuPeak: 30 };
  const memory = { memory: 30, memoryPeak: 30 };
  return { name, cpus: 2, ...cpu, ...memory, madeAt: undefined, instances: 2, ...more };
}

function view(hosts: readonly HostLoad[], more: Partial<SizeView> = {}): SizeView {
  return {
    ...{ now: NOW, hosts, min: 0, max: 3, cpuTarget: 60, cooldownSeconds: 300, changedAt: 0, fewerAt: 0 },
    ...{ bootSeconds: 60, isChanging: false, isReleasing: false, ...more },
  };
}

const busy = { cpu: 80, cpuBefore: 80, cpuPeak: 80 };
const idle = { cpu: 10, cpuBefore: 10, cpuPeak: 20 };

describe("the size of a fleet", () => {
  it("grows when its hosts use more CPU than they should, each counted by its processors", () => {
    expect(decideSize(view([host("a", busy), host("b", busy)]))).to.deep.equal({
      kind: "grow",
      reason: "the hosts use 80 % CPU, target 60 %",
    });
    expect(
      decideSize(view([host("a", { ...busy, cpus: 1 }), host("b", { ...idle, cpus: 8 })])).kind,
    ).to.equal("stay");
  });

  it("grows when memory is short", () => {
    expect(decideSize(view([host("a", { memory: 90 })])).kind).to.equal("grow");
  });

  it("grows before a rise reaches the target, by as long as a new host takes", () => {
    const rising = host("a", { cpu: 45, cpuBefore: 25 });
    expect(decideSize(view([rising], { bootSeconds: 90 })).kind).to.equal("grow");
    expect(decideSize(view([rising], { bootSeconds: 30 })).kind).to.equal("stay");
    const low = host("a", { cpu: 30, cpuBefore: 10 });
    expect(decideSize(view([low], { bootSeconds: 300 })).kind).to.equal("stay");
  });

  it("never grows beyond max, which counts the hosts that Sluice makes", () => {
    const made = { ...busy, madeAt: 1 };
    expect(decideSize(view([host("a", busy), host("b", made), host("c", made)], { max: 2 })).kind).to.equal(
      "stay",
    );
    expect(decideSize(view([host("a", busy)], { max: 0 })).kind).to.equal("stay");
  });

  it("waits for a change that is under way, and for what the last one brings", () => {
    expect(decideSize(view([host("a", busy)], { isChanging: true })).kind).to.equal("stay");
    expect(decideSize(view([host("a", busy)], { changedAt: NOW - 200_000 })).kind).to.equal("stay");
  });

  it("shrinks when the others would have been enough: of the emptiest hosts that Sluice made the newest leaves", () => {
    const hosts = [
      host("server", idle),
      host("old", { ...idle, madeAt: 1, instances: 1 }),
      host("new", { ...idle, madeAt: 2, instances: 1 }),
      host("newest", { ...idle, madeAt: 3, instances: 4 }),
    ];
    expect(decideSize(view(hosts))).to.deep.equal({
      kind: "shrink",
      host: "new",
      reason: "for 600 s, the others would have used at most 27 % CPU, target 60 %",
    });
  });

  it("does not shrink below min, to nothing, during a release, after a peak, or while too little is known", () => {
    const made = { ...idle, madeAt: 1 };
    const two = [host("a", idle), host("b", made)];
    expect(decideSize(view(two)).kind).to.equal("shrink");
    expect(decideSize(view(two, { min: 1 })).kind).to.equal("stay");
    expect(decideSize(view([host("b", made)])).kind).to.equal("stay");
    expect(decideSize(view(two, { isReleasing: true })).kind).to.equal("stay");
    expect(decideSize(view([host("a", { ...idle, cpuPeak: 90 }), host("b", made)])).kind).to.equal("stay");
    expect(decideSize(view([host("a", idle), host("b", { ...made, cpuPeak: undefined })])).kind).to.equal(
      "stay",
    );
    expect(
      decideSize(view([host("a", { ...idle, memoryPeak: 60 }), host("b", { ...made, memoryPeak: 60 })])).kind,
    ).to.equal("stay");
  });

  it("does not shrink again before the others have shown for a while what they do alone", () => {
    const three = [host("a", idle), host("b", { ...idle, madeAt: 1 }), host("c", { ...idle, madeAt: 2 })];
    expect(decideSize(view(three, { fewerAt: NOW - 599_000 })).kind).to.equal("stay");
    expect(decideSize(view(three, { fewerAt: NOW - 600_000 })).kind).to.equal("shrink");
  });

  it("says nothing while no host reports", () => {
    expect(decideSize(view([]))).to.deep.equal({ kind: "stay", reason: "no host reports" });
  });
});
