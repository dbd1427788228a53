import { EngineTrial, type EngineTraits, type MakeEngine } from "./engine/engine-trial.js";
import { keepsThemRunning } from "./engine/keeping.js";
import { findsThemAgain } from "./engine/finding-again.js";
import { givesTheEnvironment } from "./engine/environment.js";
import { handsOutAddresses } from "./engine/addresses.js";
import { handsOutPorts } from "./engine/ports.js";
import { keepsLogs } from "./engine/logs.js";
import { startsInstances } from "./engine/starting.js";
import { stopsInstances } from "./engine/stopping.js";

/** What every engine does, in the words of server/engines/engine.ts. */
export function engineContract(
  name: string,
  makeEngine: MakeEngine,
  traits: Partial<EngineTraits> = {},
): void {
  describe(`${name}, as an engine`, function () {
    this.timeout(30_000);
    const trial = new EngineTrial(makeEngine, traits);
    beforeEach(async () => trial.begin());
    afterEach(() => trial.end());
    after(async () => trial.cleared());
    describe("starting", () => startsInstances(trial));
    describe("environment and command", () => givesTheEnvironment(trial));
    describe("keeping it running", () => keepsThemRunning(trial));
    describe("stopping", () => stopsInstances(trial));
    describe("logs", () => keepsLogs(trial));
    if (trial.traits.sharesPorts) describe("ports", () => handsOutPorts(trial));
    else describe("addresses", () => handsOutAddresses(trial));
    describe("after a crash of the server", () => findsThemAgain(trial));
  });
}
