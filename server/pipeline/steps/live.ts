import { advanced } from "../../releases/release-store.js";
import { withLive } from "../../routes/route-changes.js";
import { waitForProxiesIfPossible } from "../../routes/wait-for-proxies.js";
import type { Step } from "../step.js";

const LIVE_TIMEOUT_MS = 30_000;

/**
 * The switch, and the point of no return: the track's new release and the record's phase are written in one step. Every
 * proxy has answered when it is through; one that does not is told of, since there is no way back.
 */
export const live: Step = {
  name: "live",
  reaches: "live",
  timeoutMs: () => LIVE_TIMEOUT_MS,
  run: async (work) => {
    const { tools, app, out } = work;
    const record = advanced(work.record, "live");
    work.isSwitchTried = true;
    const revision = await tools.routes.update(
      app.name,
      (table) => withLive(table, record, tools.clock.now()),
      [record],
    );
    tools.changes.tell(work.record, record);
    work.record = record;
    const unheard = await waitForProxiesIfPossible(tools, revision, app.name);
    if (unheard !== undefined) out.problem(unheard);
    return undefined;
  },
};
