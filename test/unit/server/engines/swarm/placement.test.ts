import { expect } from "chai";
import {
  chooseNode,
  crowdedInstances,
  hostConstraints,
  roleConstraints,
  type Placed,
} from "../../../../../server/engines/swarm/placement.js";
import { refusingNodes } from "../../../../../server/engines/swarm/watching/refusals.js";
import type { SwarmTask } from "../../../../../server/engines/swarm/swarm-api.js";
import { aNode, aRefusal, aTask } from "./a-swarm.js";

const GROUP = "shop.v1.web";
const at = (nodeId: string, group = GROUP): Placed => ({ group, nodeId });

describe("where a Swarm's instance goes", () => {
  const [a, b, c] = ["a", "b", "c"].map((id) => aNode(id)) as [
    ReturnType<typeof aNode>,
    ReturnType<typeof aNode>,
    ReturnType<typeof aNode>,
  ];

  it("is a host without siblings, however many others are there", () => {
    const placed = [at("a"), ...Array.from({ length: 50 }, () => at("b", "other.v1.web"))];
    expect(chooseNode(GROUP, undefined, [a, b], placed)).to.equal("b");
  });

  it("is where the fewest siblings are, then where the fewest instances are", () => {
    expect(chooseNode(GROUP, undefined, [a, b, c], [at("a"), at("a"), at("b"), at("c")])).to.equal("b");
    const others = [at("a", "x.v1.web"), at("a", "x.v1.web"), at("b", "x.v1.web")];
    expect(chooseNode(GROUP, undefined, [a, b], others)).to.equal("b");
  });

  it("is no host that is down, unknown, paused or drained; nowhere where there is no other", () => {
    const unfit = [
      aNode("a", { Status: { State: "down", Addr: "" } }),
      aNode("b", { Status: { State: "unknown", Addr: "" } }),
      aNode("c", { Spec: { Availability: "drain", Labels: {} } }),
      aNode("d", { Spec: { Availability: "pause", Labels: {} } }),
    ];
    expect(chooseNode(GROUP, undefined, unfit, [])).to.equal(undefined);
    expect(chooseNode(GROUP, undefined, [...unfit, aNode("e")], [])).to.equal("e");
  });

  it("is a host of its role; any host where none has that role", () => {
    const staging = aNode("s", {
      Spec: { Availability: "active", Labels: { "sluice.role.staging": "true" } },
    });
    expect(chooseNode(GROUP, "staging", [a, staging], [at("s"), at("s")])).to.equal("s");
    expect(chooseNode(GROUP, "production", [a, staging], [at("a")])).to.equal("s");
    expect(roleConstraints("staging", [a, staging])).to.deep.equal(["node.labels.sluice.role.staging==true"]);
    expect(roleConstraints("production", [a, staging])).to.deep.equal([]);
    expect(roleConstraints(undefined, [a, staging])).to.deep.equal([]);
  });

  it("is nowhere while all hosts of its role are away: it must not go to another", () => {
    const away = aNode("s", {
      Status: { State: "down", Addr: "" },
      Spec: { Availability: "active", Labels: { "sluice.role.staging": "true" } },
    });
    expect(chooseNode(GROUP, "staging", [a, away], [])).to.equal(undefined);
  });
});

describe("the hosts that a Swarm's instance may run on", () => {
  const nodes = ["a", "b"].map((id) => aNode(id));
  const role = "node.labels.sluice.role.production==true";
  const BOUND = ["node.id==a", role];
  const constraints = (now: string[], current: SwarmTask | undefined, ...refusing: string[]): string[] =>
    hostConstraints(now, { current, refusing: new Set(refusing) }, undefined, nodes);

  it("are the one that it was given until it runs there, or cannot", () => {
    expect(constraints(BOUND, aTask("1", {}, { State: "preparing" }))).to.deep.equal(BOUND);
    expect(constraints(BOUND, aTask("1"))).to.deep.equal([role]);
    expect(constraints(BOUND, aTask("1", {}, { State: "pending", Err: "no suitable node" }))).to.deep.equal([
      role,
    ]);
    expect(constraints(BOUND, undefined)).to.deep.equal([role]);
  });

  it("are the others once one could not start it, all when none could, and all when it runs", () => {
    const away = [role, "node.id!=a"];
    expect(constraints(BOUND, undefined, "a")).to.deep.equal(away);
    expect(constraints(away, aTask("1", { NodeID: "b" }, { State: "preparing" }), "a")).to.deep.equal(away);
    expect(constraints(away, undefined, "a", "b")).to.deep.equal([role]);
    expect(constraints(away, aTask("1", { NodeID: "b" }))).to.deep.equal([role]);
  });

  it("are those of its role: one that nobody else may take stays", () => {
    const labelled = aNode("a", {
      Spec: { Availability: "active", Labels: { "sluice.role.production": "true" } },
    });
    const known = { current: undefined, refusing: new Set(["a"]) };
    expect(hostConstraints([role], known, "production", [labelled, aNode("b")])).to.deep.equal([role]);
  });
});

describe("hosts that could not start an instance", () => {
  const at = Date.parse("2026-01-01T00:00:09Z");
  const nodes = [aNode("a"), aNode("b")];

  it("get none while there are others, until they run one again or some minutes have passed", () => {
    const refusing = refusingNodes([aTask("1"), aRefusal("2", "a", "No such image")], at);
    expect([...refusing]).to.deep.equal(["a"]);
    const others = Array.from({ length: 9 }, () => ({ group: GROUP, nodeId: "b" }));
    expect(chooseNode(GROUP, undefined, nodes, others, refusing)).to.equal("b");
    expect(chooseNode(GROUP, undefined, nodes.slice(0, 1), others, refusing)).to.equal("a");
    expect(refusingNodes([aRefusal("2", "a", "No such image"), aTask("3")], at).size).to.equal(0);
    expect(refusingNodes([aRefusal("2", "a", "No such image")], at + 6 * 60_000).size).to.equal(0);
  });

  it("leave no instance crowded: it would only come back", () => {
    const placed = new Map([1, 2].map((index) => [`${GROUP}.${index}`, { group: GROUP, nodeId: "b" }]));
    expect(crowdedInstances(placed, new Map(), nodes)).to.have.length(1);
    expect(crowdedInstances(placed, new Map(), nodes, new Set(["a"]))).to.deep.equal([]);
  });
});

describe("instances that share a host", () => {
  const [a, b] = [aNode("a"), aNode("b")];
  const placed = (...nodeIds: string[]): Map<string, Placed> =>
    new Map(nodeIds.map((nodeId, index) => [`${GROUP}.${index + 1}`, at(nodeId)]));
  const crowded = (of: Map<string, Placed>, ...nodes: ReturnType<typeof aNode>[]): string[] =>
    crowdedInstances(of, new Map(), nodes);

  it("are crowded while another host has none of them: the last one first", () => {
    expect(crowded(placed("a", "a"), a, b)).to.deep.equal([`${GROUP}.2`]);
    expect(crowded(placed(...Array.from({ length: 11 }, () => "a")), a, b)).to.deep.equal([`${GROUP}.11`]);
    expect(crowded(placed("a", "b", "a"), a, b)).to.deep.equal([]);
    expect(crowded(placed("a", "a"), a)).to.deep.equal([]);
    expect(crowded(placed("a"), a, b)).to.deep.equal([]);
  });

  it("are not, where the other host is away or for others", () => {
    const down = aNode("b", { Status: { State: "down", Addr: "" } });
    expect(crowded(placed("a", "a"), a, down)).to.deep.equal([]);
    const labelled = aNode("a", {
      Spec: { Availability: "active", Labels: { "sluice.role.staging": "true" } },
    });
    const roles = new Map([[GROUP, "staging"]]);
    expect(crowdedInstances(placed("a", "a"), roles, [labelled, b])).to.deep.equal([]);
    expect(crowdedInstances(placed("a", "a"), new Map(), [labelled, b])).to.have.length(1);
  });

  it("are those of each process by itself", () => {
    const both = new Map([...placed("a", "a"), ["shop.v1.worker.1", at("a", "shop.v1.worker")] as const]);
    expect(crowded(both, a, b)).to.deep.equal([`${GROUP}.2`]);
  });
});
