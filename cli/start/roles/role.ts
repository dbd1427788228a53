import type { Database } from "../../../core/redis/database.js";
import type { Log } from "../../../core/log.js";
import type { ServerReplicas } from "../replicas/server-replicas.js";
import type { Context } from "../context.js";

export const ROLES = ["server", "proxy", "monitor", "redis"] as const;
export type Role = (typeof ROLES)[number];

/** What `sluice up` starts: a replica of Redis is what the server of another machine orders. */
export const USUAL_ROLES: readonly Role[] = ["server", "proxy", "monitor"];

/** What a role is started with. */
export interface RoleOptions {
  readonly context: Context;
  /** All that this process has. */
  readonly roles: readonly Role[];
  readonly redis: Database;
  /** Whether Redis is the one that Sluice brings along. */
  readonly isOwnRedis: boolean;
  /** Of our own Redis, where it has some. */
  readonly replicas: ServerReplicas | undefined;
  readonly adminToken: string;
  /** Of this process: one per state folder and machine. */
  readonly id: string;
  readonly log: Log;
  /** Keeps how what runs now is stopped: the last one first, also when the next does not start. */
  readonly atStop: (stop: () => Promise<void>) => void;
}
