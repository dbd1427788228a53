import { isAppError, toAppError } from "../../../core/errors/app-error.js";
import { groupBy } from "../../../core/group-by.js";
import { parseInstanceId } from "../../../core/instances/instance-id.js";
import { Slots } from "../../../core/async/slots.js";
import { unlessUnavailable } from "../../engines/unless-unavailable.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import type { ReconcileNeeds } from "../needs.js";
import type { AppSnapshot } from "./app-snapshot.js";
import { recoverApp } from "./recover-app.js";

/** Apps that are worked on side by side. */
const AT_ONCE = 8;
/** One that takes longer no longer counts among them: what hangs must not hold up the others. */
const SLOW_MS = 2000;
/** Errors that pass; the recovery is then tried again. */
const BLOCKED = ["redis-unavailable", "engine-unavailable", "release-busy", "release-lock-lost"] as const;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;

/**
 * What a server does first: finishes or undoes what an earlier server left unfinished, starts what should run and stops what
 * should not. Resolves once nothing can come before that: each app has its place in the queue, and stays in
 * `tools.recovering` until it is recovered. Each part can be repeated.
 */
export async function beginRecovery(tools: ReconcileNeeds, pipeline: Pipeline): Promise<void> {
  const ended = await tools.tasks.endLeftovers();
  if (ended > 0)
    tools.log.info({ processes: ended }, "ended processes that an earlier server had left running");
  const snapshots = await takeSnapshots(tools);
  const slots = new Slots(AT_ONCE);
  for (const snapshot of snapshots)
    tools.recovering.add(snapshot.name, recoverInTurn(tools, pipeline, snapshot, slots));
}

/** Every app that has a record or an instance. Nothing else is at work yet: what is read here is so until an app is recovered. */
async function takeSnapshots(tools: ReconcileNeeds): Promise<AppSnapshot[]> {
  const [{ apps, unreadable }, instances] = await Promise.all([
    tools.apps.listAll(),
    unlessUnavailable(tools.engine.list()),
  ]);
  await tools.redisUsers.ensureAll(apps.map((app) => ({ app, password: tools.apps.redisPassword(app) })));
  const instancesOf = groupBy(instances ?? [], ({ id }) => parseInstanceId(id)?.app ?? "");
  const former = ((await tools.former?.engine.list()) ?? []).map(({ id }) => parseInstanceId(id)?.app ?? "");
  const known = [...apps.map(({ name }) => name), ...unreadable.keys(), ...instancesOf.keys()];
  const names = [...new Set([...known, ...former])];
  const snapshots = await Promise.all(
    names.map(async (name) => {
      try {
        const problem = unreadable.get(name);
        if (problem !== undefined) throw problem;
        const own = instances === undefined ? undefined : (instancesOf.get(name) ?? []);
        return [{ name, table: await tools.routes.read(name), instances: own }];
      } catch (error) {
        if (isAppError(error, "redis-unavailable", "redis-refused")) throw error;
        // Its instances keep running. No other app should wait for it.
        tools.log.error(
          { err: toAppError(error), app: name },
          "could not recover an app: its record or its routes cannot be read",
        );
        return [];
      }
    }),
  );
  return snapshots.flat();
}

/** Takes the app's place in the queue at once, and its turn among the others then. Never rejects. */
async function recoverInTurn(
  tools: ReconcileNeeds,
  pipeline: Pipeline,
  snapshot: AppSnapshot,
  slots: Slots,
): Promise<void> {
  const { name: app } = snapshot;
  const place = { app, what: `the recovery of ${app}`, signal: new AbortController().signal };
  const work = async (signal: AbortSignal): Promise<void> => {
    const inSlot = async <T>(part: () => Promise<T>): Promise<T> => takeSlot(slots, part, signal);
    await retryWhileBlocked(tools, app, signal, async (isRetry) =>
      recoverApp({ tools, pipeline, snapshot, signal, inSlot, isRetry }),
    );
  };
  await pipeline.inTurn(place, work).catch((error: unknown) => {
    const fields = { err: toAppError(error), app };
    if (isAppError(error, "server-stopping"))
      tools.log.debug(fields, "leaving the recovery of an app to the next server");
    else tools.log.error(fields, "could recover only part of an app");
  });
}

async function takeSlot<T>(slots: Slots, part: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const giveBack = await slots.take(signal);
  const timer = setTimeout(giveBack, SLOW_MS);
  try {
    return await part();
  } finally {
    clearTimeout(timer);
    giveBack();
  }
}

/** Redis or the engine may be away for a while, or another server may hold the app's lock, if only until it runs out. */
async function retryWhileBlocked(
  { clock, log }: ReconcileNeeds,
  app: string,
  signal: AbortSignal,
  act: (isRetry: boolean) => Promise<void>,
): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      await act(failures > 0);
      return;
    } catch (error) {
      if (!isAppError(error, ...BLOCKED)) throw error;
      log.warn({ err: error, app }, "could not recover an app yet");
      await clock.sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures), signal);
    }
  }
}
