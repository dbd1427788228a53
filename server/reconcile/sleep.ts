import { toAppError } from "../../core/errors/app-error.js";
import { Output } from "../pipeline/output.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { bringUp } from "../pipeline/bring-up/bring-up.js";
import { stopInstances } from "../pipeline/bring-up/stop-instances.js";
import { switchOver } from "../pipeline/switch-over.js";
import { withAsleep, withAwake } from "../routes/route-changes.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import type { ReconcileNeeds } from "./needs.js";

/**
 * Whoever comes from now on waits until it runs again; it is still to be stopped. Only if it `isDue` in the table that is
 * changed.
 */
export async function putToSleep(
  tools: ReconcileNeeds,
  app: string,
  number: number,
  isDue: (table: RouteTable) => boolean,
): Promise<void> {
  const record = await tools.releases.find(app, number);
  if (record === undefined) return;
  const fallAsleep = (table: RouteTable): RouteTable =>
    isDue(table) ? withAsleep(table, number, tools.clock.now()) : table;
  await tools.routes.update(app, fallAsleep, [{ ...record, instances: [] }]);
}

/** Starts a release that sleeps; resolves when its instances are healthy and every proxy that reports leads there. */
export async function wakeUp(
  tools: ReconcileNeeds,
  pipeline: Pick<Pipeline, "work">,
  app: string,
  number: number,
  signal: AbortSignal,
): Promise<void> {
  const { releases } = await tools.routes.read(app);
  if (!releases.some((release) => release.number === number && release.asleep)) return;
  const record = await tools.releases.find(app, number);
  if (record === undefined) return;
  const out = new Output();
  const work = await pipeline.work(record, out, { quarantine: {}, skipGates: false });
  try {
    const instances = await bringUp(work, { present: [], check: "fresh", signal, keepsFresh: true });
    const awake = { ...record, instances };
    const change = (table: RouteTable): RouteTable => withAwake(table, awake, tools.clock.now());
    await switchOver(work, { record: awake, change }, signal);
  } catch (error) {
    // Visitors may be led to it already.
    const { releases: now } = await tools.routes.read(app);
    const isAwake = now.some((release) => release.number === number && !release.asleep);
    if (!isAwake) await stopInstances({ tools, record });
    // The page that its visitors get points to this log.
    out.keepIn(tools.home.releaseOutput(app, number), tools.settings.limits.logMegabytes * 1024 * 1024);
    out.heading(`Wake-up failed (${new Date(tools.clock.now()).toISOString()})`);
    out.problem(toAppError(error));
    await out.close();
    throw error;
  }
}
