import { rm } from "node:fs/promises";
import type { Pipeline } from "./pipeline.js";
import { applied } from "../releases/applied.js";
import type { Tools } from "../tools.js";

/** Removes an app with all that Sluice made for it: out of the proxies, stopped, its files, its records. Throws `app-unknown`. */
export async function destroyApp(tools: Tools, pipeline: Pipeline, name: string): Promise<void> {
  const { apps, routes, engine, home, settings, redisUsers, turns } = tools;
  const app = await apps.read(name);
  const place = {
    app: app.name,
    what: "its removal",
    signal: new AbortController().signal,
  };
  await pipeline.exclusively(place, async () => {
    const table = await routes.read(app.name);
    await applied(tools, await routes.remove(app.name), app.name);
    // What is being woken, put to sleep or retired is so by now, and will not be again.
    for (const { number } of table.releases) await turns.take(app.name, number, async () => undefined);
    const instances = (await engine.list()).filter(({ id }) => id.startsWith(`${app.name}.`));
    await Promise.all(instances.map(({ id }) => engine.stop(id, settings.instances.stopSeconds)));
    await engine.forget(app.name);
    await redisUsers.remove(app.name);
    // A delivery that was under way may still be fetching into it.
    await rm(home.app(app.name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    await rm(home.sockets(app.name), { recursive: true, force: true });
    await tools.traffic.remove(app.name);
    await apps.remove(app.name);
  });
}
