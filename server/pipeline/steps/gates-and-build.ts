import type { Step } from "../step.js";
import { runBuild } from "./build.js";
import { runGates } from "./gates.js";

/** Gates and build, side by side in trees of their own. When one fails, the other is stopped. */
export const gatesAndBuild: Step = {
  name: "gates and build",
  reaches: "built",
  timeoutMs: ({ limits }) => Math.max(limits.gatesSeconds, limits.buildSeconds) * 1000,
  run: async (work, signal) => {
    const other = new AbortController();
    const stop = AbortSignal.any([signal, other.signal]);
    const sides = [gated(), runBuild(work, stop)];
    try {
      await Promise.all(sides);
    } catch (error) {
      other.abort(error);
      await Promise.allSettled(sides);
      throw error;
    }
    return undefined;

    async function gated(): Promise<void> {
      await runGates(work, stop);
      work.record = await work.tools.releases.advance(work.record, "gated");
    }
  },
};
