import { isAppError, toAppError } from "../../../core/errors/app-error.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import { keys } from "../../../core/redis/keys.js";
import type { RedisUserOptions } from "../../../server/apps/redis-users.js";
import type { Context } from "../context.js";
import { takeBack } from "../replicas/take-back.js";
import type { RoleOptions } from "../roles/role.js";
import { waitUntilUp } from "../services/wait-until-up.js";
import { guardAppsRedis } from "./guard-apps-redis.js";
import { keepWhenCrowded } from "./keep-when-crowded.js";
import { isMoved, moveAppData } from "./move-app-data.js";
import { startAppsRedis } from "./start-apps-redis.js";

export interface AppsRedis {
  readonly users: RedisUserOptions & { readonly keep: () => Promise<void> };
  readonly stop: () => Promise<void>;
}

/**
 * The apps' Redis and what looks after it. It need not answer: releases and traffic go on without it. Only what an earlier
 * version left in Sluice's own Redis (`records`) must be moved first. Throws `service-failed` then.
 */
export async function openAppsRedis(
  context: Context,
  { redis: records, replicas, log }: Pick<RoleOptions, "redis" | "replicas" | "log">,
): Promise<AppsRedis> {
  const { home, settings } = context;
  const { address, url, keepUsers } = await startAppsRedis(context);
  const redis = connectRedis(address, log);
  keepWhenCrowded(redis);
  try {
    await waitUntilUp(home, "apps-redis", async () => openRedis(redis));
    if (replicas !== undefined) await takeBack(replicas.apps(redis));
    await moveAppData({ home, settings, from: records, to: redis, log });
  } catch (error) {
    if (!(await isMoved(home)) || isAppError(error, "redis-not-taken-back")) {
      redis.disconnect();
      throw error;
    }
    log.error({ err: toAppError(error) }, "the apps' Redis does not answer; apps that use it have errors");
  }
  const guards = guardAppsRedis(context, redis, log);
  const keep = inTurn(async () => {
    const lines = await redis.acl("LIST");
    await keepUsers(lines);
    // For replicas, which the engine runit has none of.
    if (settings.engine === "swarm") await records.hset(keys.redisUsers, "apps", lines.join("\n"));
  });
  return {
    users: { redis, url, keep, isSeparate: true },
    stop: async () => {
      redis.disconnect();
      await guards.stop();
    },
  };
}

/** One after the other: an older list must not take the place of a newer one. */
function inTurn(work: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return async () => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
