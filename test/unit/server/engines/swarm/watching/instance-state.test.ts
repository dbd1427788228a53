import { expect } from "chai";
import { EndCounts } from "../../../../../../server/engines/swarm/watching/end-counts.js";
import { OUT_OF_MEMORY_STATUS } from "../../../../../../server/engines/swarm/starting/entry-script.js";
import { PROGRAM_SHELL } from "../../../../../../server/engines/swarm/starting/program-script.js";
import {
  instanceState,
  nodeAddress,
} from "../../../../../../server/engines/swarm/watching/instance-state.js";
import type { SwarmNode, SwarmTask } from "../../../../../../server/engines/swarm/swarm-api.js";
import { aNode, aRefusal, aTask } from "../a-swarm.js";

const ID = "shop.v1.web.1";
const NOW = Date.parse("2026-01-01T00:00:10Z");
const stateOf = (tasks: SwarmTask[], ...nodes: SwarmNode[]) =>
  instanceState(
    ID,
    tasks,
    new Map((nodes.length === 0 ? [aNode("a")] : nodes).map((node) => [node.ID, node])),
    NOW,
  );
const ended = (id: string, exitCode: number, state = "failed"): SwarmTask =>
  aTask(
    id,
    { DesiredState: "shutdown" },
    { State: state, ContainerStatus: { ContainerID: "c", PID: 0, ExitCode: exitCode }, PortStatus: null },
  );

describe("the state of a Swarm's instance", () => {
  it("is where its task runs", () => {
    expect(stateOf([aTask("1")])).to.deep.equal({
      ...{ id: ID, host: "host-a", address: "a.test:32768", running: true, pid: 77 },
      ...{ ends: 0, lastEnd: undefined },
    });
  });

  it("has no address before its task runs, nor before it has a host", () => {
    for (const state of ["assigned", "preparing", "starting"])
      expect(stateOf([aTask("1", {}, { State: state })])).to.deep.include({
        ...{ host: "host-a", address: undefined, running: false, pid: undefined },
      });
    expect(stateOf([aTask("1", { NodeID: "" }, { State: "pending" })]).host).to.equal(undefined);
    expect(stateOf([])).to.deep.include({ address: undefined, running: false, ends: 0 });
  });

  it("knows how often it ended, and how the last time", () => {
    expect(stateOf([ended("1", 3), ended("2", 137), aTask("3")])).to.deep.include({
      ...{ running: true, ends: 2, lastEnd: "killed by SIGKILL" },
    });
    expect(stateOf([ended("2", 0, "complete"), ended("1", 3)])).to.deep.include({
      ...{ running: false, ends: 2, lastEnd: "status 0" },
    });
  });

  it("says why Docker could not start one, which is no status of its own", () => {
    const lastEnd = (Err: string): string | undefined => {
      const task = ended("1", 128);
      return stateOf([{ ...task, Status: { ...task.Status, Err } }]).lastEnd;
    };
    expect(lastEnd("starting container failed: no network")).to.equal(
      "could not be started: starting container failed: no network",
    );
    expect(lastEnd("task: non-zero exit (128)")).to.equal("status 128");
  });

  it("tells one that was killed for want of memory from one that somebody has killed", () => {
    expect(stateOf([ended("1", OUT_OF_MEMORY_STATUS)]).lastEnd).to.equal("killed by SIGKILL, out of memory");
    expect(stateOf([ended("1", 137)]).lastEnd).to.equal("killed by SIGKILL");
  });

  it("does not know that of an image's own program, and says so", () => {
    const Spec = {
      ContainerSpec: { Labels: {}, Command: [PROGRAM_SHELL, "sh", "/run/secrets/sluice-start"] },
    };
    const lastEnd = (status: number): string | undefined =>
      stateOf([{ ...ended("1", status), Spec }]).lastEnd;
    expect(lastEnd(137)).to.equal("killed by SIGKILL, perhaps out of memory");
    expect(lastEnd(143)).to.equal("killed by SIGTERM");
  });

  it("says which hosts could not start it, and why, until it runs; none of that is an end", () => {
    const nodes = [aNode("a"), aNode("b")];
    const tasks = [aRefusal("1", "a", "No such image: x"), aRefusal("2", "b", "no space left on device")];
    expect(stateOf(tasks, ...nodes)).to.deep.include({
      ...{ ends: 0, lastEnd: undefined, running: false },
      refusals: ["host-a: No such image: x", "host-b: no space left on device"],
    });
    expect(stateOf([...tasks, aTask("3")], ...nodes)).not.to.have.property("refusals");
    expect(stateOf([aTask("1"), ended("2", 3), aRefusal("3", "b", "why")], ...nodes).refusals).to.deep.equal([
      "host-b: why",
    ]);
  });

  it("takes a host for one that cannot start it when it has not begun to for some seconds", () => {
    const given = [aTask("1", {}, { State: "accepted" })];
    const nodes = new Map([["a", aNode("a")]]);
    expect(instanceState(ID, given, nodes, NOW)).not.to.have.property("refusals");
    expect(instanceState(ID, given, nodes, NOW + 2000).refusals).to.deep.equal([
      "host-a: Docker has not begun to start it for 10 s",
    ]);
    // A host whose clock is slow has just been given it.
    const slow = [aTask("9", {}, { State: "accepted", Timestamp: "2025-12-31T23:59:00Z" })];
    expect(instanceState(ID, slow, nodes, NOW)).not.to.have.property("refusals");
  });

  it("says that it was ended because its image found it unhealthy", () => {
    const unhealthy = aTask(
      "1",
      { DesiredState: "shutdown" },
      { State: "failed", Err: "task: non-zero exit (143): dockerexec: unhealthy container" },
    );
    expect(stateOf([unhealthy])).to.include({ ends: 1, lastEnd: "unhealthy: its HEALTHCHECK failed" });
  });

  it("does not count what the Swarm has moved away as an end", () => {
    const moved = aTask("1", { DesiredState: "shutdown" }, { State: "shutdown" });
    expect(stateOf([moved, aTask("2")])).to.deep.include({ ends: 0, running: true });
  });

  it("takes no word of a host that is down: its task says that it runs for ever", () => {
    const down = aNode("a", { Status: { State: "down", Addr: "a.test" } });
    expect(stateOf([aTask("1")], down)).to.deep.include({
      address: undefined,
      running: false,
      host: undefined,
    });
    const elsewhere = aTask("2", { NodeID: "b" });
    expect(stateOf([aTask("1"), elsewhere], down, aNode("b"))).to.deep.include({
      ...{ address: "b.test:32768", running: true, ends: 0 },
    });
  });

  it("stays as it was while a host is unknown: its manager has just begun", () => {
    const unknown = aNode("a", { Status: { State: "unknown", Addr: "a.test" } });
    expect(stateOf([aTask("1")], unknown)).to.deep.include({ address: "a.test:32768", running: true });
  });

  it("knows a manager by the address that it has announced", () => {
    const manager = aNode("a", {
      Status: { State: "ready", Addr: "127.0.0.1" },
      ManagerStatus: { Addr: "10.1.2.3:2377" },
    });
    expect(nodeAddress(manager)).to.equal("10.1.2.3");
    expect(stateOf([aTask("1")], manager).address).to.equal("10.1.2.3:32768");
  });
});

describe("how often a Swarm's instance has ended", () => {
  it("is counted though the Swarm forgets its tasks", () => {
    const counts = new EndCounts();
    const all = Array.from({ length: 9 }, (_, index) => ended(String(index + 1), 3));
    expect(counts.endsOf("service", all.slice(0, 1))).to.equal(1);
    for (let end = 2; end <= 9; end++)
      expect(counts.endsOf("service", all.slice(Math.max(0, end - 3), end))).to.equal(end);
    expect(counts.endsOf("other", all.slice(0, 2))).to.equal(2);
    counts.keepOnly(new Set(["other"]));
    expect(counts.endsOf("service", [])).to.equal(0);
  });
});
