import { expect } from "chai";
import {
  cleanHosts,
  cleanerName,
  type CleanedHosts,
} from "../../../../../server/engines/swarm/cleaning/clean-hosts.js";
import type { SwarmApi, SwarmNode, SwarmTask } from "../../../../../server/engines/swarm/swarm-api.js";
import { FakeClock } from "../../../../support/fakes/fake-clock.js";
import { aNode, aTask } from "./a-swarm.js";

const OWNER = "me";
const CLEANING = { image: "r/sluice/tools@sha256:1", registry: "r", kept: ["shop@sha256:2"] };
const drained = aNode("c", { Spec: { Availability: "drain", Labels: {} } });
const lost = aNode("d", { Status: { State: "down", Addr: "d.test" } });

describe("cleaning every host of a Swarm", () => {
  let clock: FakeClock;
  let done: string[];
  let nodes: SwarmNode[];
  let tasks: SwarmTask[];
  let created: () => void;
  const api = {
    removeService: async (name: string) => Promise.resolve(void done.push(`remove ${name}`)),
    createService: async ({ Name }: { Name?: string }) => {
      done.push(`create ${Name ?? ""}`);
      created();
      return Promise.resolve(true);
    },
    tasks: async () => Promise.resolve(tasks),
    nodes: async () => Promise.resolve(nodes),
    output: async () =>
      Promise.resolve(Buffer.concat(["removed 2 500\n", "removed 1 20\n", "removed all\n"].map(frame))),
    // What is asked of it.
  } as unknown as SwarmApi;
  const name = cleanerName(OWNER);
  beforeEach(() => {
    [clock, done, created] = [new FakeClock(), [], () => undefined];
    nodes = [aNode("a"), aNode("b"), drained, lost];
    tasks = [taskOn("a", "complete"), taskOn("b", "complete")];
  });

  const clean = async (signal = new AbortController().signal): Promise<CleanedHosts> => {
    const login = { username: "u", password: "p", serveraddress: "r" };
    return cleanHosts({ api, owner: OWNER, login, clock }, CLEANING, signal);
  };
  const ends = ["remove", "create", "remove"].map((verb) => `${verb} ${name}`);

  it("adds up what the hosts say, those that take instances", async () => {
    expect(await clean()).to.deep.equal({ hosts: 2, silent: 0, images: 3, bytes: 520 });
    expect(done).to.deep.equal(ends);
  });

  it("does not wait for ever for a host, and takes one that could not for silent", async () => {
    tasks = [taskOn("a", "complete"), taskOn("b", "running")];
    const cleaning = clean();
    for (let step = 0; step < 10 && done.length < ends.length; step++) {
      await new Promise(setImmediate);
      clock.advance(30_000);
    }
    expect(await cleaning).to.include({ hosts: 1, silent: 1 });
    tasks = [taskOn("a", "complete"), taskOn("b", "rejected")];
    expect(await clean()).to.include({ hosts: 1, silent: 1 });
  });

  it("removes its service however it ends", async () => {
    created = () => {
      throw new Error("refused");
    };
    const refused = await clean().catch(String);
    expect(refused).to.equal("Error: refused");
    expect(done).to.deep.equal(ends);
    [done, created, tasks] = [[], () => undefined, []];
    const stopped = await clean(AbortSignal.abort(new Error("the server stops"))).catch(String);
    expect(stopped).to.include("the server stops");
    expect(done).to.deep.equal(ends);
  });
});

function taskOn(node: string, state: string): SwarmTask {
  return aTask("1", { NodeID: node }, { State: state });
}

/** As Docker frames a line of the first output. */
function frame(line: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(1, 0);
  header.writeUInt32BE(line.length, 4);
  return Buffer.concat([header, Buffer.from(line)]);
}
