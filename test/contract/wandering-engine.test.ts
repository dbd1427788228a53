import { FakeLogs, FakeMachine } from "../support/fakes/fake-engine.js";
import { FakeCluster, WanderingEngine } from "../support/fakes/wandering-engine.js";
import { engineContract } from "./engine-contract.js";

engineContract("WanderingEngine", async (folder, ports) => {
  const machine = new FakeMachine(folder);
  const cluster = new FakeCluster();
  const engine = new WanderingEngine(machine, ports, cluster);
  return {
    engine,
    logs: new FakeLogs(machine),
    again: async () => new WanderingEngine(machine, ports, cluster),
    dispose: async () => {
      await Promise.all([...cluster.kept.keys()].map(async (id) => engine.stop(id, 0)));
    },
  };
});
