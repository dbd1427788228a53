import { readdir, rm } from "node:fs/promises";
import { AppError, toAppError } from "../../core/app-error.js";
import { parseReleaseName, releaseName } from "../../core/names.js";
import { isUnfinished } from "../../core/records/phase.js";
import type { ReleaseRecord } from "../../core/records/release-record.js";
import type { RouteTable } from "../../core/records/route-table.js";
import { DependencyCache } from "../pipeline/dependency-cache.js";
import { Output } from "../pipeline/output.js";
import { servesOrDid, type Pipeline } from "../pipeline/pipeline.js";
import { keptReleases } from "../pipeline/prune.js";
import { startInstances } from "../pipeline/steps/start.js";
import type { Tools } from "../tools.js";
import { appliedIfPossible } from "../releases/applied.js";
import { sourcesOf } from "../releases/release-logs.js";
import { withInstances } from "../releases/route-changes.js";
import { endGoneBranches } from "./gone-branches.js";
import { endLeftoverJobs } from "./leftover-jobs.js";

/**
 * What a server does first: whatever an earlier one left half done is finished or undone, what should run runs, and what
 * should not is gone. Each part can be repeated.
 */
export async function recover(tools: Tools, pipeline: Pipeline): Promise<void> {
  const ended = await endLeftoverJobs(tools.home.root);
  if (ended > 0) tools.log.info({ processes: ended }, "ended what an earlier server left running");
  for (const { name } of await tools.apps.list()) {
    const records = await tools.releases.list(name);
    for (const record of records.filter(({ phase }) => isUnfinished(phase)).reverse())
      await finishOrUndo(tools, pipeline, record);
    await endGoneBranches(tools, pipeline, name);
    await bringUp(tools, pipeline, name);
    await sweepFolders(tools, name);
  }
  await stopStrays(tools);
}

/** A release whose push git has taken (or a rollback, or one that is live already) is finished; any other is taken back. */
async function finishOrUndo(tools: Tools, pipeline: Pipeline, record: ReleaseRecord): Promise<void> {
  const { app, phase, order, branch, commit } = record;
  const fields = { app, release: releaseName(record.number), phase };
  const { signal } = new AbortController();
  try {
    await pipeline.exclusively({ app, what: "its recovery", signal }, async () => {
      const work = await pipeline.lockedWork(record, new Output(), { quarantine: {}, skipGates: false });
      const isTaken = phase === "healthy" && (await work.repository.head(branch)) === commit;
      const finish = (await servesOrDid(work)) || order === "rollback" || isTaken;
      tools.log.info({ ...fields, finish }, "release left unfinished");
      if (finish) await pipeline.toSettled(work, signal);
      else await pipeline.undo(work, new AppError("release-abandoned", { phase }));
    });
  } catch (error) {
    tools.log.error({ err: toAppError(error), ...fields }, "an unfinished release could not be finished");
  }
}

/** Starts what the route table names and is not running (the machine was restarted), and tells the proxies where it is. */
async function bringUp(tools: Tools, pipeline: Pipeline, app: string): Promise<void> {
  const table = await tools.routes.read(app);
  for (const { number } of table.releases.filter(({ asleep }) => !asleep)) {
    const record = await tools.releases.find(app, number);
    if (record === undefined) continue;
    const work = await pipeline.work(record, new Output(), { quarantine: {}, skipGates: false });
    try {
      await tools.redisUsers.ensure(work.app, tools.apps.redisPassword(work.app));
      const instances = await startInstances(work);
      const next = { ...record, instances };
      if (JSON.stringify(instances) === JSON.stringify(record.instances)) continue;
      await tools.routes.update(app, (now) => withInstances(now, next), [next]);
    } catch (error) {
      tools.log.error(
        { err: toAppError(error), app, release: releaseName(number) },
        "a release could not be started again",
      );
    }
  }
}

/** Removes folders of releases that are neither kept nor running, and half-made caches. */
async function sweepFolders(tools: Tools, app: string): Promise<void> {
  const [records, table] = await Promise.all([tools.releases.list(app), tools.routes.read(app)]);
  const kept = keptReleases(records, table, tools.settings.limits.keepReleases);
  for (const name of await readdir(tools.home.releases(app)).catch(() => [])) {
    const number = parseReleaseName(name);
    if (number === undefined || kept.has(number)) continue;
    await rm(tools.home.release(app, number), { recursive: true, force: true });
    await tools.engine.forget(`${app}.${name}`);
  }
  await new DependencyCache(tools).sweep(app);
}

/**
 * Stops instances that no route table names: a release was retired or undone only in part. More of a process than its release
 * has go when nothing is open on them: it was scaled down, or a promotion or a change of scale did not come to its switch.
 */
async function stopStrays(tools: Tools): Promise<void> {
  const tables = new Map<string, RouteTable>();
  for (const { id } of await tools.engine.list()) {
    const [app = "", release = ""] = id.split(".");
    const table = tables.get(app) ?? (await tools.routes.read(app));
    tables.set(app, table);
    const number = parseReleaseName(release) ?? 0;
    const record = await tools.releases.find(app, number);
    const routed = table.releases.find((candidate) => candidate.number === number);
    const isOurs = record === undefined || sourcesOf(record).some((source) => source.id === id);
    if (routed !== undefined && !routed.asleep) {
      if (isOurs) continue;
      const revision = await tools.routes.update(app, (now) => now);
      tools.leaving.begin(id, { goneSince: revision, drainSeconds: routed.drainSeconds });
      continue;
    }
    await stopWhenOut(tools, app, number, id);
  }
}

/** At once when no proxy leads visitors there; what only a silent one may do keeps nobody from starting. */
async function stopWhenOut(tools: Tools, app: string, number: number, id: string): Promise<void> {
  const revision = await tools.routes.revisionOf(app);
  const unheard = await appliedIfPossible(tools, revision, app);
  const afterwards = async (): Promise<void> => {
    const { releases } = await tools.routes.read(app);
    const record = await tools.releases.find(app, number);
    if (record?.phase === "settled" && !releases.some((release) => release.number === number))
      await tools.releases.advance(record, "retired", { instances: [] });
  };
  if (unheard === undefined) {
    await tools.engine.stop(id, tools.settings.instances.stopSeconds);
    await afterwards();
  } else tools.leaving.begin(id, { goneSince: revision, drainSeconds: 0, afterwards });
}
