import type { Database } from "../../../core/redis/database.js";
import type { Log } from "../../../core/log.js";
import type { Context } from "../context.js";
import type { PrivateRedis } from "../services/private-redis.js";

export const ROLES = ["server", "proxy", "monitor"] as const;
export type Role = (typeof ROLES)[number];

/** What a role is started with. */
export interface RoleOptions {
  readonly context: Context;
  /** All that this process has. */
  readonly roles: readonly Role[];
  readonly redis: Database;
  /** undefined: the Redis is one of the user's. */
  readonly ownRedis: PrivateRedis | undefined;
  readonly adminToken: string;
  /** Of this process: one per state folder and machine. */
  readonly id: string;
  readonly log: Log;
  /** Keeps how what runs now is stopped: the last one first, also when the next does not start. */
  readonly atStop: (stop: () => Promise<void>) => void;
}
