import { expect } from "chai";
import { joinSwarm } from "../../../../../cli/start/engines/join-swarm.js";
import type { DockerInfo, NodeSpec } from "../../../../../server/engines/swarm/swarm-api.js";

const PRIVATE = "10.0.0.2";

/** What Docker tells, and what is asked of it. */
function dockerThat(
  says: Partial<DockerInfo> & { state?: string; manages?: boolean; labels?: Record<string, string> },
) {
  const { state = "active", manages = true, labels = {}, ...more } = says;
  const done: string[] = [];
  const Swarm = { NodeID: "n", LocalNodeState: state, ControlAvailable: manages };
  const act = async (what: string): Promise<void> => void done.push(what);
  return {
    done,
    info: async (): Promise<DockerInfo> =>
      Promise.resolve({ LiveRestoreEnabled: false, FirewallBackend: undefined, Swarm, ...more }),
    init: async (address: string) => act(`init ${address}`),
    changeNode: async (_id: string, change: (before: NodeSpec) => NodeSpec) => {
      await act(change({ Availability: "pause", Labels: labels }).Availability);
      return true;
    },
  };
}

async function refusal(docker: ReturnType<typeof dockerThat>, address = PRIVATE): Promise<string> {
  const error: unknown = await joinSwarm(docker, { address, serverRunsInstances: true }).catch(
    (reason: unknown) => reason,
  );
  expect(docker.done, "it has begun all the same").to.deep.equal([]);
  return String(error);
}

describe("a host that manages a Swarm", () => {
  it("makes one when it is in none, and is drained when it runs no instances", async () => {
    const docker = dockerThat({ state: "inactive", manages: false });
    await joinSwarm(docker, { address: PRIVATE, serverRunsInstances: false });
    expect(docker.done).to.deep.equal([`init ${PRIVATE}`, "drain"]);
    const member = dockerThat({});
    await joinSwarm(member, { address: PRIVATE, serverRunsInstances: true });
    expect(member.done).to.deep.equal(["active"]);
  });

  it("stays without new instances while it drains", async () => {
    const docker = dockerThat({ labels: { "sluice.draining": "true" } });
    await joinSwarm(docker, { address: PRIVATE, serverRunsInstances: true });
    expect(docker.done).to.deep.equal(["pause"]);
  });

  it("is refused with settings of Docker's that do not work with a Swarm", async () => {
    expect(await refusal(dockerThat({ LiveRestoreEnabled: true }))).to.include("live-restore");
    expect(await refusal(dockerThat({ FirewallBackend: { Driver: "nftables" } }))).to.include("nftables");
    expect(await refusal(dockerThat({ manages: false }))).to.include("worker of a Swarm");
    const docker = dockerThat({ FirewallBackend: { Driver: "iptables" } });
    await joinSwarm(docker, { address: PRIVATE, serverRunsInstances: true });
    expect(docker.done).to.deep.equal(["active"]);
  });

  it("has a private address: others must not reach the Swarm and its instances", async () => {
    expect(await refusal(dockerThat({}), "8.8.8.8")).to.include("8.8.8.8 is a public address");
  });
});
