import { mkdir } from "node:fs/promises";
import { AppError } from "../../../core/errors/app-error.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { Log } from "../../../core/log.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import type { Database } from "../../../core/redis/database.js";
import { serverUserLine } from "../../../core/redis/host-user.js";
import { readRedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import { readReplicaOrder } from "../../../core/redis/replicas/replica-order.js";
import { keepWhenCrowded } from "../apps-redis/keep-when-crowded.js";
import { startAppsRedis } from "../apps-redis/start-apps-redis.js";
import type { Context } from "../context.js";
import { startPrivateRedis } from "../services/private-redis.js";
import { tlsListener } from "../services/redis-for-hosts.js";
import { waitUntilUp } from "../services/wait-until-up.js";
import { systemUser } from "../system-user.js";
import { isPromoted, replicaIncludes, setPromoted, type ReplicaSetting } from "./replica-files.js";

/** Both Redis of a host with the role `redis`, as Sluice there reaches them. */
export interface ReplicaHost extends ReplicaSetting {
  readonly records: Database;
  readonly apps: Database;
  /** Keep their users (lines of `ACL LIST`) for the next start. */
  readonly keepUsers: {
    readonly records: (lines: readonly string[]) => Promise<void>;
    readonly apps: (lines: readonly string[]) => Promise<void>;
  };
  disconnect(): void;
}

type ReplicaContext = Pick<Context, "home" | "settings" | "path" | "isRoot">;

/** What the server has ordered of this host. Throws `replica-not-ordered` where it is none. */
export async function replicaSetting({ home }: Pick<Context, "home">): Promise<ReplicaSetting> {
  const order = await readReplicaOrder(home.redisReplica()).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  const places = await readRedisPlaces(home.redisPlaces());
  if (order === undefined || places === undefined) throw new AppError("replica-not-ordered", {});
  return { home, order, places };
}

/** Starts both where they do not run, each under its own `runsv`. They answer. */
export async function startReplica(context: ReplicaContext, log: Log): Promise<ReplicaHost> {
  const { home, path, isRoot } = context;
  const setting = await replicaSetting(context);
  const { order, places } = setting;
  const user = isRoot ? await systemUser("redis") : undefined;
  for (const folder of [home.redis(), home.appsRedis()])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  await setPromoted(setting, await isPromoted(home));
  const includes = replicaIncludes(home);
  const users = [serverUserLine(order.serverPasswordHash)];
  const records = await startPrivateRedis({
    ...{ home, path, user, users, include: includes.records },
    listener: tlsListener(home, order.address, places.redisPort),
  });
  await writeFileAtomically(home.appsRedis("port"), `${places.appsPort}\n`);
  const apps = await startAppsRedis(context, {
    ...{ users, include: includes.apps, address: order.address },
  });
  const connections = [connectRedis(records.address, log), connectRedis(apps.address, log)] as const;
  keepWhenCrowded(connections[1]);
  const disconnect = (): void => connections.forEach((redis) => redis.disconnect());
  try {
    await waitUntilUp(home, "redis", async () => openRedis(connections[0]));
    await waitUntilUp(home, "apps-redis", async () => openRedis(connections[1]));
  } catch (error) {
    disconnect();
    throw error;
  }
  return {
    ...{ ...setting, records: connections[0], apps: connections[1], disconnect },
    keepUsers: { records: records.keepUsers, apps: apps.keepUsers },
  };
}
