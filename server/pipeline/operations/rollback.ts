import type { Actor } from "../../../core/records/events/actor.js";
import { AppError, toAppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import { BY_SLUICE } from "../../../core/records/events/event-record.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { PRODUCTION } from "../../../core/records/routes/route-table.js";
import type { PipelineNeeds } from "../needs.js";
import type { Output } from "../output.js";
import type { Pipeline } from "../pipeline.js";
import type { Place } from "../release-queue.js";
import { hasServedProduction, keptReleases } from "../prune.js";
import { sizeAsProduction } from "./size-as-production.js";

export interface RollbackOptions {
  readonly signal: AbortSignal;
  readonly to?: number;
  /** Who asked for it; nobody: Sluice itself. */
  readonly actor?: Actor;
}

/**
 * An earlier release serves again: the one named, else the one that the present one came after. What was taken back before
 * is never gone back to, unless it is named. Throws `rollback-nothing`, `already-live`, `release-unknown`.
 */
export async function rollback(
  pipeline: Pipeline,
  app: string,
  out: Output,
  { signal, to, actor = { by: BY_SLUICE } }: RollbackOptions,
): Promise<ReleaseRecord> {
  const { tools } = pipeline;
  const place: Place = {
    app,
    what: "a rollback",
    signal,
    onWait: (ahead) => out.line(`waiting for ${ahead}`),
  };
  // Chosen before it waits: a release that goes live meanwhile is not the one to roll back from.
  const { number: wanted } = await targetOf(tools, app, to);
  return pipeline.exclusively(place, async (stop) => {
    const { number, commit } = await targetOf(tools, app, wanted);
    const release = releaseName(number);
    out.heading(`Rolling back to ${release} (${commit.slice(0, 10)})`);
    const onWait = (): void => out.line(`waiting until ${release} has stopped`);
    const back = async (): Promise<ReleaseRecord> => {
      // It may have been retired meanwhile.
      const target = await targetOf(tools, app, number);
      const work = await pipeline.lockedWork(target, out, { quarantine: {}, skipGates: false });
      const processes = await sizeAsProduction(tools, target);
      work.record = await work.tools.releases
        .advance(target, "built", {
          ...{ steps: "rollback", movedBy: actor.by, movedFrom: actor.from },
          ...{ processes, postdeployed: false },
        })
        .catch(async (error: unknown) => {
          // It may have been written all the same.
          work.record = { ...target, steps: "rollback" };
          await pipeline.undo(work, toAppError(error)).catch(() => undefined);
          throw error;
        });
      await pipeline.toSettled(work, stop);
      return work.record;
    };
    return tools.turns.take(app, number, back, onWait);
  });
}

async function targetOf(
  { releases, routes, settings }: PipelineNeeds,
  app: string,
  wanted: number | undefined,
): Promise<ReleaseRecord> {
  const [records, table] = await Promise.all([releases.list(app), routes.read(app)]);
  const current = table.tracks[PRODUCTION];
  if (wanted !== undefined && wanted === current)
    throw new AppError("already-live", { app, release: releaseName(wanted) });
  const keptNumbers = keptReleases(records, table, settings.limits.keepReleases);
  const kept = records.filter(
    (record) => hasServedProduction(record) && record.number !== current && keptNumbers.has(record.number),
  );
  const [first = current ?? Infinity] = table.history;
  const earlier = [
    ...table.history.slice(0, -1).reverse(),
    ...kept.map(({ number }) => number).filter((number) => number < first),
  ];
  const order = wanted === undefined ? earlier : [wanted];
  const [target] = order.flatMap((number) => kept.filter((record) => record.number === number));
  if (target !== undefined) return target;
  if (wanted === undefined) throw new AppError("rollback-nothing", { app });
  const known = kept.map(({ number }) => releaseName(number));
  throw new AppError("release-unknown", { app, release: releaseName(wanted), known });
}
