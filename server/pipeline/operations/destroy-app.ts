import type { Actor } from "../../../core/records/events/actor.js";
import type { AppError } from "../../../core/errors/app-error.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { parseInstanceId } from "../../../core/instances/instance-id.js";
import { waitForProxiesIfPossible } from "../../routes/wait-for-proxies.js";
import type { PipelineNeeds } from "../needs.js";
import type { Pipeline } from "../pipeline.js";

/**
 * Removes an app with all that Sluice made for it: out of the proxies, stopped, its files, its records. An instance that a
 * silent proxy may still lead visitors to keeps its address until that proxy follows or is removed, else another app could
 * get it. Returns the error that names such a proxy, if there is one. Throws `app-unknown`.
 */
export async function destroyApp(
  pipeline: Pipeline,
  name: string,
  actor: Actor,
): Promise<AppError | undefined> {
  const { tools } = pipeline;
  const app = (await tools.apps.read(name)).name;
  const askedAt = tools.removals.now();
  const place = { app, what: "its removal", signal: new AbortController().signal };
  return pipeline.exclusively(place, async (signal, locked) => {
    const { routes, apps, turns, logs, home, redisUsers, traffic } = locked;
    await apps.read(app);
    const { releases } = await routes.read(app);
    const revision = await routes.remove(app);
    const unheard = await waitForProxiesIfPossible(tools, revision, app);
    // What is being woken, put to sleep or retired is so by now, and will not be again.
    for (const { number } of releases) await turns.take(app, number, async () => undefined);
    signal.throwIfAborted();
    await stopInstances(locked, app, unheard === undefined ? undefined : revision);
    await logs.forget(app);
    await redisUsers.remove(app);
    signal.throwIfAborted();
    // A delivery that was under way may still be fetching into it.
    await removeTree(home.app(app));
    await removeTree(home.sockets(app));
    await traffic.remove(app);
    // An app that is made under this name must not take those that still run for its own.
    await apps.remove(app, { keepsNumbers: unheard !== undefined, ...actor });
    tools.removals.add(app, askedAt);
    return unheard;
  });
}

/** `goneSince`: the revision that a proxy has still to apply before the instances may stop. */
async function stopInstances(
  { engine, logs, leaving, settings }: PipelineNeeds,
  app: string,
  goneSince: number | undefined,
): Promise<void> {
  const instances = (await engine.list()).filter(({ id }) => parseInstanceId(id)?.app === app);
  const stopped = instances.map(async ({ id, address }) => {
    if (goneSince === undefined || address === undefined)
      return engine.stop(id, settings.instances.stopSeconds);
    leaving.begin(id, { goneSince, drainSeconds: 0, afterwards: async () => logs.forget(id) });
  });
  await Promise.all(stopped);
}
