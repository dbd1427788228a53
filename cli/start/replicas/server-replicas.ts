import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { toAppError } from "../../../core/errors/app-error.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { Log } from "../../../core/log.js";
import type { Database } from "../../../core/redis/database.js";
import { readRedisPlaces, type RedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import { openSecretBox } from "../../../core/secrets.js";
import type { Context } from "../context.js";
import { serverPassword } from "./server-password.js";
import { findAhead, type TakeBackOptions } from "./take-back.js";

const TICK_MS = 5000;

/** How the server takes back each of its Redis; undefined where there are no replicas. */
export interface ServerReplicas {
  readonly records: TakeBackOptions;
  readonly apps: (redis: Database) => TakeBackOptions;
}

/** What the server knows of its replicas now. */
export async function serverReplicas(
  { home, settings }: Pick<Context, "home" | "settings">,
  records: Database,
  log: Log,
): Promise<ServerReplicas | undefined> {
  const places = await readRedisPlaces(home.redisPlaces());
  if (places === undefined || places.replicas.length === 0) return undefined;
  const box = await openSecretBox(home.key());
  const host = settings.monitor.host ?? hostname();
  const common = {
    ...{ host, address: places.server, replicas: places.replicas, log },
    passwordOf: (replica: string) => serverPassword(box, replica),
  };
  const ca = await readFile(home.redisCertificate("ca.crt"), "utf8");
  return {
    records: { ...common, name: "Redis", own: records, port: places.redisPort, ca },
    apps: (redis) => ({
      ...common,
      ...{ name: "the apps' Redis", own: redis, port: places.appsPort, ca: undefined },
    }),
  };
}

/** Says once when a replica has been made the primary while the server runs. `read`: they may come and go meanwhile. */
export function watchReplicas(
  read: () => Promise<TakeBackOptions | undefined>,
  onMoved: (host: RedisPlaces["replicas"][number]) => void,
  log: Log,
): { stop(): Promise<void> } {
  let isMoved = false;
  const ticker = new Ticker({
    everyMs: TICK_MS,
    job: async () => {
      const options = isMoved ? undefined : await read();
      const ahead = options && (await findAhead(options));
      if (ahead === undefined) return;
      isMoved = true;
      onMoved(ahead.replica);
    },
    onError: (error) => log.debug({ err: toAppError(error) }, "could not look at replicas"),
  });
  ticker.start();
  return ticker;
}
