import { readdir } from "node:fs/promises";
import { AppError, isAppError, toAppError } from "../../../core/errors/app-error.js";
import { idPrefix, parseInstanceId } from "../../../core/instances/instance-id.js";
import { parseReleaseName, releaseName } from "../../../core/names.js";
import { hasReached, isUnfinished } from "../../../core/records/releases/phase.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { PRODUCTION, type RouteTable } from "../../../core/records/routes/route-table.js";
import { unlessAborted } from "../../../core/async/unless-aborted.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import type { InstanceState } from "../../engines/engine.js";
import { withDeadline } from "../../pipeline/runner/deadline.js";
import { DependencyCache } from "../../builds/dependency-cache.js";
import { Output } from "../../pipeline/output.js";
import { servesOrDid, type Pipeline } from "../../pipeline/pipeline.js";
import { keptReleases } from "../../pipeline/prune.js";
import { bringUp } from "../../pipeline/bring-up/bring-up.js";
import { stopInstances } from "../../pipeline/bring-up/stop-instances.js";
import type { ReleaseWork } from "../../pipeline/step.js";
import { switchOver } from "../../pipeline/switch-over.js";
import { instancesOf } from "../../releases/instances-of.js";
import { withInstances } from "../../routes/route-changes.js";
import type { ReconcileNeeds } from "../needs.js";
import type { AppSnapshot } from "./app-snapshot.js";
import { endGoneBranches } from "../gone-branches.js";
import { formerReleases, letFormerGo } from "./former-instances.js";
import { stopStrays } from "./strays.js";

export interface AppRecovery {
  readonly tools: ReconcileNeeds;
  readonly pipeline: Pipeline;
  readonly snapshot: AppSnapshot;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
  /** Runs a part of it when it is the app's turn among those that are recovered. */
  readonly inSlot: <T>(part: () => Promise<T>) => Promise<T>;
  /** An earlier try has failed: what the snapshot says may not be so any more. */
  readonly isRetry: boolean;
}

/** An app without unfinished releases. */
interface AppState {
  readonly records: readonly ReleaseRecord[];
  readonly table: RouteTable;
  /** What ran before anything was done about the app; empty when something was. */
  readonly running: ReadonlyMap<string, InstanceState>;
}

/**
 * Finishes or undoes what was left of an app, starts what should run and stops what should not. The previews come when the
 * production of every other app has had its turn. Only in the app's place in the queue. Throws `redis-unavailable`,
 * `engine-unavailable`, `release-busy`.
 */
export async function recoverApp(recovery: AppRecovery): Promise<void> {
  const { tools, snapshot, inSlot } = recovery;
  const instances = snapshot.instances ?? (await instancesNow(tools, snapshot.name));
  const { state, others } = await inSlot(async () => {
    const state = await finishUnfinished(recovery, instances);
    const [production, others] = releasesToStart(state);
    await startAgain(recovery, production);
    return { state, others };
  });
  if (others.length > 0) await inSlot(async () => startAgain(recovery, others));
  const { records, table } = state;
  await stopStrays(tools, { ...snapshot, table, instances }, records);
  await letFormerGo(tools, snapshot.name);
  await sweepFolders(tools, { ...snapshot, table }, records);
}

async function instancesNow({ engine }: ReconcileNeeds, app: string): Promise<InstanceState[]> {
  return (await engine.list()).filter(({ id }) => parseInstanceId(id)?.app === app);
}

async function finishUnfinished(
  recovery: AppRecovery,
  instances: readonly InstanceState[],
): Promise<AppState> {
  const { tools, pipeline, snapshot, signal, isRetry } = recovery;
  const { name: app, table } = snapshot;
  const records = await tools.releases.list(app);
  const hasUnfinished = records.some(({ phase }) => isUnfinished(phase));
  if (hasUnfinished)
    await pipeline.locked({ app, what: "its recovery", signal }, async () => {
      // Another server may have held the lock until now.
      const unfinished = (await tools.releases.list(app))
        .filter(({ phase }) => isUnfinished(phase))
        .reverse();
      for (const record of unfinished) await finishOrUndo(recovery, record);
    });
  const endedBranches = await endGoneBranches(tools, pipeline, app, signal);
  if (!hasUnfinished && !endedBranches && !isRetry)
    return { records, table, running: new Map(instances.map((state) => [state.id, state])) };
  const [now, tableNow] = await Promise.all([tools.releases.list(app), tools.routes.read(app)]);
  return { records: now, table: tableNow, running: new Map() };
}

/** A release whose push git has taken (or a rollback, or one that is live already) is finished; any other is taken back. */
async function finishOrUndo({ tools, pipeline, signal }: AppRecovery, record: ReleaseRecord): Promise<void> {
  const { app, phase, steps, branch, commit } = record;
  const fields = { app, release: releaseName(record.number), phase };
  try {
    const work = await pipeline.lockedWork(record, new Output(), { quarantine: {}, skipGates: false });
    const isTaken = phase === "healthy" && (await work.repository.head(branch)) === commit;
    const finish = (await servesOrDid(work)) || steps === "rollback" || isTaken;
    tools.log.info({ ...fields, finish }, "found an unfinished release");
    // Git has already accepted this push: if a stopping server dropped it, nobody would learn of it.
    if (finish) await pipeline.toSettled(work, isTaken ? new AbortController().signal : signal);
    else {
      // The undoing may have been begun: what the table does not name may have been named before.
      if (hasReached(phase, "started")) work.goneSince = await tools.routes.revisionOf(app);
      await pipeline.undo(work, new AppError("release-abandoned", { phase }));
    }
  } catch (error) {
    if (isAppError(error, "redis-unavailable", "engine-unavailable", "release-lock-lost")) throw error;
    tools.log.error({ err: toAppError(error), ...fields }, "could not finish or undo an unfinished release");
  }
}

/** What the route table names and is not running (the machine was restarted): production's, and the others. */
function releasesToStart({ records, table, running }: AppState): [ReleaseRecord[], ReleaseRecord[]] {
  const missing = table.releases.flatMap(({ number, asleep }) => {
    const record = records.find((candidate) => candidate.number === number);
    return asleep || record === undefined || runsAsRecorded(record, running) ? [] : [record];
  });
  const isProduction = ({ track }: ReleaseRecord): boolean => track === PRODUCTION;
  return [missing.filter(isProduction), missing.filter((record) => !isProduction(record))];
}

/** Starts releases again; the proxies learn where they are now. */
async function startAgain(
  { tools, snapshot, signal, ...recovery }: AppRecovery,
  records: readonly ReleaseRecord[],
): Promise<void> {
  for (const record of records) {
    await withDeadline("start", tools.settings.limits.releaseSeconds * 1000, signal, async (stop) =>
      unlessAborted(start({ tools, ...recovery }, record, stop), stop),
    ).catch((error: unknown) => {
      if (signal.aborted || isAppError(error, "redis-unavailable", "engine-unavailable")) throw error;
      const fields = { app: snapshot.name, release: releaseName(record.number) };
      tools.log.error({ err: toAppError(error), ...fields }, "could not start a release again");
    });
  }
}

function runsAsRecorded(record: ReleaseRecord, running: AppState["running"]): boolean {
  const ids = instancesOf(record).map(({ id }) => id);
  if (ids.length !== record.instances.length) return false;
  return record.instances.every(({ id, address }) => {
    const state = running.get(id);
    return ids.includes(id) && state?.running === true && state.address === address;
  });
}

async function start(
  { tools, pipeline }: Pick<AppRecovery, "tools" | "pipeline">,
  record: ReleaseRecord,
  signal: AbortSignal,
): Promise<void> {
  const work = await pipeline.work(record, new Output(), { quarantine: {}, skipGates: false });
  const isRunByFormer = (await formerReleases(tools, record.app)).has(record.number);
  if (isRunByFormer) return takeOver(work, signal);
  // It served before: its visitors wait, and the proxies check it themselves.
  const instances = await bringUp(work, {
    present: record.instances,
    check: "none",
    signal,
    keepsFresh: true,
  });
  if (JSON.stringify(instances) === JSON.stringify(record.instances)) return;
  const next = { ...record, instances };
  const change = (now: RouteTable): RouteTable => withInstances(now, next);
  await switchOver(work, { record: next, change, waits: false }, signal);
}

/** What another engine runs serves until the same is healthy in this one; then it drains. */
async function takeOver(work: ReleaseWork, signal: AbortSignal): Promise<void> {
  try {
    const instances = await bringUp(work, { present: [], check: "fresh", signal, keepsFresh: true });
    const next = { ...work.record, instances };
    const change = (now: RouteTable): RouteTable => withInstances(now, next);
    work.isSwitchTried = true;
    // What drains now is let go at the end of the recovery.
    await switchOver(work, { record: next, change }, signal);
  } catch (error) {
    if (!work.isSwitchTried) await stopInstances(work);
    throw error;
  }
}

/** Removes folders of releases that are neither kept nor running, and half-made caches. */
async function sweepFolders(
  tools: ReconcileNeeds,
  { name: app, table }: AppSnapshot,
  records: readonly ReleaseRecord[],
): Promise<void> {
  const kept = keptReleases(records, table, tools.settings.limits.keepReleases);
  for (const name of await readdir(tools.home.releases(app)).catch(() => [])) {
    const number = parseReleaseName(name);
    if (number === undefined || kept.has(number)) continue;
    await removeTree(tools.home.release(app, number));
    await tools.logs.forget(idPrefix(app, number));
  }
  await new DependencyCache(tools).sweep(app);
}
