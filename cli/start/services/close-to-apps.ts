import type { Database } from "../../../core/redis/database.js";
import type { Log } from "../../../core/log.js";

/**
 * A Redis that an earlier version of Sluice started, and that runs on, lets apps in: over a port, with users of their own.
 * Takes both away and closes the apps' connections.
 */
export async function closeToApps(redis: Database, log: Log): Promise<void> {
  const users = (await redis.acl("USERS")).filter((user) => user.startsWith("app-"));
  // Their connections end with them.
  if (users.length > 0) await redis.acl("DELUSER", ...users);
  const [, port] = await redis.config("GET", "port");
  if (port === "0") return;
  await redis.config("SET", "port", "0");
  log.info({ port, users: users.length }, "closed Sluice's own Redis to the apps");
}
