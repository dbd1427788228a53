import { groupBy } from "../../../core/group-by.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { Database } from "../../../core/redis/database.js";
import { appClients, type AppClient } from "./app-clients.js";
import { MOST_CLIENTS } from "./configuration.js";

const TICK_MS = 1000;
/** While fewer are open in all, nobody is limited. */
const MANY_CLIENTS = MOST_CLIENTS / 2;
/** Of one app, once there are many. */
const MOST_OF_AN_APP = MOST_CLIENTS / 8;
/** A client that has not said who it is by then never will. */
const LOGIN_SECONDS = 5;

/**
 * Redis limits connections in all, not those of a user: one app could keep all others out. Once half of them are in use, this
 * closes those of an app that has more than an eighth, newest first, and those without a user.
 */
export function limitConnections(redis: Database, log: Log): { stop(): Promise<void> } {
  const ticker = new Ticker({
    everyMs: TICK_MS,
    job: async () => {
      if (redis.status !== "ready") return;
      const [, count] = /^connected_clients:(\d+)/m.exec(await redis.info("clients")) ?? [];
      if (Number(count) <= MANY_CLIENTS) return;
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
  const byPort = clients.filter(({ isByPort }) => isByPort);
  return [...groupBy(byPort, ({ app }) => app ?? "")].flatMap(([app, all]) =>
    app === ""
      ? all.filter(({ ageSeconds }) => ageSeconds >= LOGIN_SECONDS)
      : [...all].sort((a, b) => Number(a.id) - Number(b.id)).slice(MOST_OF_AN_APP),
  );
}
