import { access, readFile } from "node:fs/promises";
import { silentLog } from "../../../core/log.js";
import { ProxyReports } from "../../../core/records/routes/proxy-reports.js";
import { connectRedis, openRedis, type RedisAddress } from "../../../core/redis/connection.js";
import type { Context } from "../context.js";
import { ownId } from "../own-id.js";
import { redisAuthority } from "./redis-authority.js";

/** Stops waiting for the proxy of this state folder, whose HAProxy has stopped. */
export async function leaveProxies(context: Context): Promise<void> {
  const { home, settings } = context;
  const hasProxy = await access(home.service("haproxy")).then(
    () => true,
    () => false,
  );
  if (!hasProxy) return;
  const id = await ownId(home);
  const redis = connectRedis(await addressOf(), silentLog);
  try {
    await openRedis(redis);
    await new ProxyReports(redis).leave(id);
  } catch {
    // Its own Redis stops with it, and a later start starts the proxy, too.
    if (settings.redis.url !== undefined)
      context.print(
        `Redis has no record that this proxy has stopped. To stop waiting for it: sluice hosts remove ${id}`,
      );
  } finally {
    redis.disconnect();
  }

  async function addressOf(): Promise<RedisAddress> {
    const { url } = settings.redis;
    if (url !== undefined) return { kind: "url", url, ca: await redisAuthority(settings) };
    const password = (await readFile(home.redis("password"), "utf8").catch(() => "")).trim();
    return { kind: "socket", path: home.redis("redis.sock"), password };
  }
}
