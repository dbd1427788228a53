import { expect } from "chai";
import { hasRoomFor, type EngineHost } from "../../../../../server/engines/engine-hosts.js";
import { withDraining, withRoles } from "../../../../../server/engines/swarm/node-spec.js";
import type { SwarmApi, SwarmNode } from "../../../../../server/engines/swarm/swarm-api.js";
import { hostsOf, SwarmHosts } from "../../../../../server/engines/swarm/swarm-hosts.js";
import { aNode, aTask } from "./a-swarm.js";

const ofInstance = (id: string) => ({ Spec: { ContainerSpec: { Labels: { "sluice.instance": id } } } });
const spec = (Availability: string, Labels: Record<string, string> = {}): SwarmNode["Spec"] => ({
  ...{ Availability, Labels },
});
const DRAINING = { "sluice.draining": "true" };

describe("the hosts of a Swarm", () => {
  it("have what they run, and what they have not let go", () => {
    const tasks = [
      aTask("1", ofInstance("shop.v1.web.1")),
      aTask("2", { ...ofInstance("shop.v1.web.2"), DesiredState: "shutdown" }),
      aTask("3", ofInstance("shop.v1.web.3"), { State: "shutdown" }),
      aTask("4", { ...ofInstance("shop.v1.web.4"), NodeID: "b" }),
    ];
    const [a, b] = hostsOf([aNode("b"), aNode("a")], tasks, "b");
    expect(a).to.deep.include({ id: "a", name: "host-a", address: "a.test", isServer: false });
    expect(a?.instances).to.deep.equal(["shop.v1.web.1", "shop.v1.web.2"]);
    expect(b).to.deep.include({ isServer: true, instances: ["shop.v1.web.4"] });
  });

  it("are unknown, not down, while the manager has lost the others", () => {
    const stateOf = (State: string): string | undefined =>
      hostsOf([aNode("a", { Status: { State, Addr: "" } })], [], "")[0]?.state;
    expect(["ready", "down", "unknown", "disconnected"].map(stateOf)).to.deep.equal([
      ...["ready", "down", "unknown", "unknown"],
    ]);
  });

  it("are paused while they drain, and only what a drain has paused goes on after it", () => {
    expect(withDraining(spec("active"), true)).to.deep.equal(spec("pause", DRAINING));
    expect(withDraining(spec("active", DRAINING), true)).to.deep.equal(spec("pause", DRAINING));
    expect(withDraining(spec("pause", DRAINING), false)).to.deep.equal(spec("active"));
    expect(withDraining(spec("pause"), false)).to.deep.equal(spec("pause"));
    expect(withDraining(spec("drain"), true)).to.deep.equal(spec("drain", DRAINING));
    expect(withDraining(spec("drain", DRAINING), false)).to.deep.equal(spec("drain"));
  });

  it("are labelled for the roles of instances, and keep other labels", () => {
    const before = spec("active", { "sluice.role.staging": "true", rack: "7" });
    expect(withRoles(before, ["production", "proxy"])).to.deep.equal(
      spec("active", { rack: "7", "sluice.role.production": "true" }),
    );
  });

  it("are not removed while they run something or manage the Swarm; one that is down may have run anything", async () => {
    const removed: string[] = [];
    const manager = aNode("m", { ManagerStatus: { Addr: "m.test:2377" } });
    const down = aNode("d", { Status: { State: "down", Addr: "" } });
    const api: ConstructorParameters<typeof SwarmHosts>[0]["api"] = {
      nodes: async () => Promise.resolve([manager, aNode("a"), aNode("idle"), down]),
      tasks: async () =>
        Promise.resolve([
          aTask("1", ofInstance("shop.v1.web.1")),
          aTask("2", { ...ofInstance("x.v1.web.1"), NodeID: "d" }),
        ]),
      info: async () => Promise.resolve({ Swarm: { NodeID: "m" } } as Awaited<ReturnType<SwarmApi["info"]>>),
      workerToken: async () => Promise.resolve(""),
      changeNode: async () => Promise.resolve(false),
      removeNode: async (id, force) => {
        removed.push(`${id} ${String(force)}`);
        return Promise.resolve();
      },
    };
    const hosts = new SwarmHosts({ api, owner: "me" });
    const why = async (id: string): Promise<string> => hosts.remove(id).then(() => "removed", String);
    expect(await why("m")).to.include("host-m manages the Swarm");
    expect(await why("a")).to.include("host-a still runs an instance");
    expect(await why("idle")).to.equal("removed");
    expect(await why("d")).to.equal("removed");
    expect(await why("gone")).to.equal("removed");
    expect(removed).to.deep.equal(["idle true", "d false"]);
    expect(await hosts.setDraining("gone", true).catch(String)).to.include('no host "gone"');
  });
});

describe("room for an instance", () => {
  const host = (takesInstances: boolean, ...roles: EngineHost["roles"]): EngineHost => ({
    ...{ id: "", name: "", address: "", isServer: false, state: "ready", draining: false, instances: [] },
    ...{ takesInstances, roles },
  });

  it("is where a host of its role takes one; where none has the role, any host", () => {
    expect(hasRoomFor("production", [host(true), host(false)])).to.equal(true);
    expect(hasRoomFor("production", [host(true), host(false, "production")])).to.equal(false);
    expect(hasRoomFor("production", [host(true, "staging")])).to.equal(true);
    expect(hasRoomFor("production", [])).to.equal(false);
  });
});
