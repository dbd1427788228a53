import { FakeEngine, FakeLogs, FakeMachine } from "../support/fakes/fake-engine.js";
import { engineContract } from "./engine-contract.js";

engineContract("FakeEngine", async (folder, ports) => {
  const machine = new FakeMachine(folder);
  const engine = new FakeEngine(machine, ports);
  return {
    engine,
    logs: new FakeLogs(machine),
    again: async () => new FakeEngine(machine, ports),
    dispose: async () => {
      await Promise.all([...machine.instances.keys()].map(async (id) => engine.stop(id, 0)));
    },
  };
});
