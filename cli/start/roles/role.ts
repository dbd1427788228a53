import type { Database } from "../../../core/redis/database.js";
import type { Log } from "../../../core/log.js";
import type { Context } from "../context.js";

export const ROLES = ["server", "proxy", "monitor"] as const;
export type Role = (typeof ROLES)[number];

/** What a role is started with. */
export interface RoleOptions {
  readonly context: Context;
  /** All that this process has. */
  readonly roles: readonly Role[];
  readonly redis: Database;
  /** Whether Redis is the one that Sluice brings along. */
  readonly isOwnRedis: boolean;
  readonly adminToken: string;
  /** Of this process: one per state folder and machine. */
  readonly id: string;
  readonly log: Log;
  /** Keeps how what runs now is stopped: the last one first, also when the next does not start. */
  readonly atStop: (stop: () => Promise<void>) => void;
}
