import { groupBy } from "../../../core/group-by.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { Database } from "../../../core/redis/database.js";
import { appClients, type AppClient } from "./app-clients.js";

const TICK_MS = 1000;
/** Of one app. */
const MOST_OF_AN_APP = 500;
/** A client that has not said who it is by then never will. */
const LOGIN_SECONDS = 5;

/**
 * Redis limits connections in all, and their memory, not those of a user: one app could keep all others out. Closes those that
 * an app has beyond 500, newest first, and then those that have not said whose they are.
 */
export function limitConnections(redis: Database, log: Log): { stop(): Promise<void> } {
  const ticker = new Ticker({
    everyMs: TICK_MS,
    job: async () => {
      if (redis.status !== "ready") return;
      const [, count] = /^connected_clients:(\d+)/m.exec(await redis.info("clients")) ?? [];
      if (Number(count) <= MOST_OF_AN_APP) return;
      const surplus = surplusClients(await appClients(redis));
      for (const { id } of surplus) await redis.client("KILL", "ID", id);
      const apps = [...new Set(surplus.map(({ app }) => app ?? "(none)"))];
      if (surplus.length > 0)
        log.error(
          { apps, closed: surplus.length },
          "closed connections of apps that had too many to the apps' Redis",
        );
    },
    onError: (error) => log.debug({ err: error }, "could not count the connections of the apps' Redis"),
  });
  ticker.start();
  return ticker;
}

/** Which are closed when there are too many. */
export function surplusClients(clients: readonly AppClient[]): AppClient[] {
  const byPort = clients.filter(({ isByPort, isReplication }) => isByPort && !isReplication);
  return [...groupBy(byPort, ({ app }) => app ?? "")].flatMap(([app, all]) =>
    app === ""
      ? all.filter(({ ageSeconds }) => ageSeconds >= LOGIN_SECONDS)
      : [...all].sort((a, b) => Number(a.id) - Number(b.id)).slice(MOST_OF_AN_APP),
  );
}
