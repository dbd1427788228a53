import { advanced } from "../../releases/release-store.js";
import { withLive } from "../../routes/route-changes.js";
import type { Step } from "../step.js";
import { switchOver } from "../switch-over.js";

const LIVE_TIMEOUT_MS = 30_000;

/** The switch, and the point of no return: the track points to the release from now on. */
export const live: Step = {
  name: "live",
  reaches: "live",
  timeoutMs: () => LIVE_TIMEOUT_MS,
  run: async (work, signal) => {
    const record = advanced(work.record, "live");
    work.isSwitchTried = true;
    await switchOver(
      work,
      { record, change: (table) => withLive(table, record, work.tools.clock.now()) },
      signal,
    );
    return undefined;
  },
};
