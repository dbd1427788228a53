import type { Redis } from "ioredis";
import { redisError } from "../../core/redis/connection.js";
import { keys } from "../../core/redis/keys.js";

/** Where each branch of an app's source stood when what it asked for was done, so that what no delivery told of is noticed. */
export class SeenHeads {
  constructor(private readonly redis: Redis) {}

  /** Branch → commit; undefined when its source was never looked at. */
  async read(app: string): Promise<Map<string, string> | undefined> {
    const heads = await this.redis.hgetall(keys.sourceHeads(app)).catch(refuse);
    if (Object.keys(heads).length === 0) return undefined;
    return new Map(Object.entries(heads).filter(([branch]) => branch !== LOOKED_AT));
  }

  /** `commit` undefined: the branch is gone. */
  async set(app: string, branch: string, commit: string | undefined): Promise<void> {
    const key = keys.sourceHeads(app);
    await (commit === undefined ? this.redis.hdel(key, branch) : this.redis.hset(key, branch, commit)).catch(
      refuse,
    );
  }

  /** What is there before anything is asked for: it deploys with its next push. */
  async begin(app: string, heads: ReadonlyMap<string, string>): Promise<void> {
    const key = keys.sourceHeads(app);
    await this.redis
      .multi()
      .del(key)
      .hset(key, { [LOOKED_AT]: "yes", ...Object.fromEntries(heads) })
      .exec()
      .catch(refuse);
  }

  async forget(app: string): Promise<void> {
    await this.redis.del(keys.sourceHeads(app)).catch(refuse);
  }
}

/** No branch is called so. */
const LOOKED_AT = ":looked-at";

function refuse(error: unknown): never {
  throw redisError(error);
}
