import type { Mutant } from "../mutant.js";

const TICKER = ["test/unit/core/loop/ticker.test.ts"];
const PER_KEY = ["test/unit/core/loop/per-key.test.ts"];
const REQUESTS = ["test/rooms/core/redis/request-loop.test.ts"];

/** What every loop relies on. */
export const loop: readonly Mutant[] = [
  {
    guard: "a wake-up during a run is not lost",
    file: "core/loop/ticker.ts",
    text: "if (this.isWoken || this.stopping.signal.aborted) return;",
    by: "if (this.stopping.signal.aborted) return;",
    tests: TICKER,
  },
  {
    guard: "a clock that was set back stops no loop",
    file: "core/loop/ticker.ts",
    text: "Math.max(0, this.clock.now() - this.beganAt)",
    by: "(this.clock.now() - this.beganAt)",
    tests: TICKER,
  },
  {
    guard: "a stop waits for the run that is under way",
    file: "core/loop/ticker.ts",
    text: "    await this.loop;\n",
    by: "",
    tests: TICKER,
  },
  {
    guard: "a key has one job at a time",
    file: "core/loop/per-key.ts",
    text: "if (!this.isBusy(key)) this.begin(key, job);",
    by: "this.begin(key, job);",
    tests: PER_KEY,
  },
  {
    guard: "nothing begins once a stop was asked for",
    file: "core/loop/per-key.ts",
    text: "this.stopping.signal.aborted || this.isBackingOff(key)",
    by: "this.isBackingOff(key)",
    tests: PER_KEY,
  },
  {
    guard: "a key whose job succeeded has the first pause again",
    file: "core/loop/per-key.ts",
    text: "      this.failed.delete(key);\n",
    by: "",
    tests: PER_KEY,
  },
  {
    guard: "a request that comes while its name is handled is handled after that",
    file: "core/loop/request-loop.ts",
    text: "if (handlesAgain) works.run",
    by: "if (handlesAgain) works.runIfIdle",
    tests: REQUESTS,
  },
];
