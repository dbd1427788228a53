import type { Log } from "../../../core/log.js";
import type { Context } from "../context.js";
import { keepReplica } from "../replicas/keep-replica.js";
import { redisAuthority } from "../services/redis-authority.js";
import { startReplica } from "../replicas/start-replica.js";

/** Replicas of the server's Redis and of the apps'. They come first: this host's may be the primary. Answers how that is stopped; Redis runs on. */
export async function startRedisRole(context: Context, log: Log): Promise<() => Promise<void>> {
  const host = await startReplica(context, log);
  const keeper = keepReplica(host, await redisAuthority(context.settings), log);
  return async () => {
    await keeper.stop();
    host.disconnect();
  };
}
