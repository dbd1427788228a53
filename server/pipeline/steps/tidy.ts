import { prune } from "../prune.js";
import type { Step } from "../step.js";

const PRUNE_TIMEOUT_MS = 120_000;

/** Removes what is kept no more. */
export const tidy: Step = {
  name: "prune",
  reaches: "settled",
  timeoutMs: () => PRUNE_TIMEOUT_MS,
  run: async ({ tools, app }) => {
    await prune(tools, app.name);
    return undefined;
  },
};
