import type { Actor } from "../../../core/records/events/actor.js";
import { AppError, isAppError, toAppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import { BY_SLUICE } from "../../../core/records/events/event-record.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { CANARY, PRODUCTION, type RouteTable } from "../../../core/records/routes/route-table.js";
import { advanced } from "../../releases/release-store.js";
import { withLive } from "../../routes/route-changes.js";
import type { PipelineNeeds } from "../needs.js";
import { bringUp } from "../bring-up/bring-up.js";
import { discardFresh } from "../bring-up/discard.js";
import type { Output } from "../output.js";
import type { Pipeline } from "../pipeline.js";
import { keepOwnValues } from "../release-config.js";
import { inDoubt } from "../runner/runner.js";
import { sizeAsProduction } from "./size-as-production.js";
import type { ReleaseWork } from "../step.js";
import { switchOver } from "../switch-over.js";

export interface PromoteOptions {
  readonly signal: AbortSignal;
  readonly only?: number;
  readonly isDue?: () => Promise<boolean>;
  /** Who asked for it; nobody: Sluice itself. */
  readonly actor?: Actor;
}

/**
 * The canary's release becomes production: the same build and the same instances, joined by as many as production needs,
 * all of them healthy before the switch. Production's release drains, or stays on standby for a rollback. A failure before
 * the switch changes nothing. `only`: if the canary is this release; `isDue`: and if that holds when its turn comes. Throws
 * `canary-none`, `canary-changed`, `promotion-overtaken`.
 */
export async function promote(
  pipeline: Pipeline,
  app: string,
  out: Output,
  { signal, only, isDue, actor = { by: BY_SLUICE } }: PromoteOptions,
): Promise<ReleaseRecord> {
  const { tools } = pipeline;
  // Not one that was pushed while this waits: nobody has seen it.
  const { number } = await canaryOf(tools, app, only);
  const place = {
    app,
    what: "a promotion",
    signal,
    onWait: (ahead: string) => out.heading(`Waiting for ${ahead}`),
  };
  return pipeline.exclusively(place, async (stop) =>
    tools.turns.take(app, number, async () => {
      const canary = await canaryOf(tools, app, number);
      if (isDue !== undefined && !(await isDue())) throw new AppError("promotion-overtaken", { app });
      const work = await pipeline.lockedWork(canary, out, { quarantine: {}, skipGates: false });
      await takeProduction(work, stop, actor);
      // The promotion is done. A failure from here on is reported and retried, never undone.
      await keepOwnValues(work)
        .then(async () => pipeline.toSettled(work, stop))
        .catch((error: unknown) => {
          tools.log.error({ err: toAppError(error), app }, "a step after a promotion failed");
          out.problem(toAppError(error));
        });
      return work.record;
    }),
  );
}

/** Everything up to the switch. */
async function takeProduction(work: ReleaseWork, signal: AbortSignal, actor: Actor): Promise<void> {
  const { tools, record: canary, out } = work;
  const { app, number } = canary;
  out.heading(`Promoting ${releaseName(number)} (${canary.commit.slice(0, 10)})`);
  const resized = await resizeToProduction(work, signal);
  const promoted = { ...resized, movedBy: actor.by, movedFrom: actor.from };
  // It may have been aborted while its new instances were started; or this was done, and the answer lost.
  const change = (table: RouteTable): RouteTable => {
    if (table.tracks[PRODUCTION] === number) return table;
    if (table.tracks[CANARY] !== number) throw new AppError("canary-none", { app });
    return withLive(table, promoted, tools.clock.now());
  };
  await switchOver(work, { record: promoted, change }, signal).catch((error: unknown) => {
    discardFresh(work, canary.instances);
    throw isAppError(error, "redis-unavailable") ? inDoubt(work, error) : error;
  });
}

async function canaryOf(tools: PipelineNeeds, app: string, only: number | undefined): Promise<ReleaseRecord> {
  const number = (await tools.routes.read(app)).tracks[CANARY];
  if (number !== undefined && only !== undefined && number !== only)
    throw new AppError("canary-changed", { app, wanted: releaseName(only), release: releaseName(number) });
  const record = number === undefined ? undefined : await tools.releases.find(app, number);
  if (record === undefined) throw new AppError("canary-none", { app });
  return record;
}

/** The record as production's and live, with all its instances healthy; those that were started for it go again when one is not. */
async function resizeToProduction(work: ReleaseWork, signal: AbortSignal): Promise<ReleaseRecord> {
  const { tools, record: canary } = work;
  work.record = { ...canary, track: PRODUCTION, processes: await sizeAsProduction(tools, canary) };
  const instances = await bringUp(work, { present: canary.instances, check: "all", signal });
  const live = advanced(work.record, "live", { steps: "promotion", instances });
  return { ...live, reachedAt: { ...live.reachedAt, live: new Date().toISOString() } };
}
