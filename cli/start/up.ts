import { endService, isSupervised } from "../../core/exec/runsv.js";
import { readOrMakeSecret } from "../../core/secrets.js";
import type { RecoveringApps } from "../../server/releases/recovering-apps.js";
import type { Context } from "./context.js";
import { closeInheritedFiles } from "./close-inherited-files.js";
import { openLog } from "./disk/open-log.js";
import { followPrimary } from "./replicas/follow-primary.js";
import { startRedisRole } from "./roles/redis-role.js";
import { hostKeyFingerprint } from "./services/host-key-fingerprint.js";
import { leaveProxies } from "./services/leave-proxies.js";
import { ownId } from "./own-id.js";
import { checkAdminToken, checkControlAddress } from "./checks/control-access.js";
import { httpsPortOf, withHttpsPort, type HttpsPort } from "./checks/https-port.js";
import { checkHome, checkPorts, checkPrograms, programsOf } from "./checks/preflight.js";
import { reachRedis } from "./services/reach-redis.js";
import { RedisReserve } from "./disk/redis-reserve.js";
import { startMonitorRole } from "./roles/monitor-role.js";
import { startProxyRole } from "./roles/proxy-role.js";
import type { Role, RoleOptions } from "./roles/role.js";
import { startServerRole } from "./roles/server-role.js";
import { lockHome } from "./server-lock.js";
import { SERVICE_GRACE_MS, SERVICES } from "./services/service.js";

export interface Running {
  readonly adminToken: string;
  /** Whether the token was just created and should be shown. */
  readonly isNewToken: boolean;
  readonly https: HttpsPort;
  /** `SHA256:…`, as ssh(1) shows it of Git over SSH; undefined where there is no server. */
  readonly hostKey: string | undefined;
  /** Apps that the server is still recovering; undefined where there is no server. */
  readonly recovering: Pick<RecoveringApps, "names" | "waitForAll"> | undefined;
  /** Resolves with where Redis is when that is elsewhere from now on: all roles must begin again. */
  readonly redisMoved: Promise<string>;
  /** Stops this process's roles. Traffic continues. */
  stop(): Promise<void>;
}

/** Starts the roles in this process, and Redis and HAProxy beside it where they do not run yet. Resolves when all of them answer; apps may still be recovered then. */
export async function up(given: Context, roles: readonly Role[]): Promise<Running> {
  closeInheritedFiles();
  const https = await httpsPortOf(given);
  const context = { ...given, settings: withHttpsPort(given.settings, https) };
  const { home, settings } = context;
  if (roles.includes("server")) checkControlAddress(context);
  if (settings.token !== undefined) checkAdminToken(settings.token, "SLUICE_TOKEN");
  await checkPrograms(context, programsOf(roles));
  await checkHome(context);
  const stops = [await lockHome(home)];
  /** One that fails keeps none of the others from ending. */
  const stop = async (): Promise<void> => {
    const problems: unknown[] = [];
    for (const end of stops.splice(0).reverse())
      await end().catch((problem: unknown) => problems.push(problem));
    if (problems.length > 0) throw problems[0];
  };
  const ranBefore = await Promise.all(SERVICES.map(async (name) => isSupervised(home.service(name))));
  try {
    await checkPorts(context, roles);
    const log = openLog(context);
    const { secret, made } = await readOrMakeSecret(home.token());
    if (settings.token === undefined) checkAdminToken(secret, home.token());
    const adminToken = settings.token ?? secret;
    if (roles.includes("redis")) stops.push(await startRedisRole(context, log));
    const { redis, isOwn: isOwnRedis, replicas, primary } = await reachRedis(context, log);
    stops.push(async () => redis.disconnect());
    const followed = await followPrimary({ context, redis, isOwn: isOwnRedis, primary, log });
    stops.push(followed.stop);
    if (isOwnRedis) {
      const folder = home.redis("appendonlydir");
      const reserve = await new RedisReserve({ folder, redis, path: context.path, log }).start();
      stops.push(async () => reserve.stop());
    }
    const options: RoleOptions = {
      context,
      roles,
      redis,
      isOwnRedis,
      replicas,
      adminToken,
      id: await ownId(home),
      log,
      atStop: (end) => stops.push(end),
    };
    if (roles.includes("proxy")) await startProxyRole(options);
    const server = roles.includes("server") ? await startServerRole(options) : undefined;
    if (roles.includes("monitor")) await startMonitorRole(options);
    if (https.taken !== undefined && roles.includes("proxy"))
      log.warn({ port: https.taken }, "another program has the port of https: there is none");
    log.info({ roles, version: context.version }, "up");
    const isNewToken = made && settings.token === undefined;
    const { redisMoved } = followed;
    const hostKey = server === undefined ? undefined : await hostKeyFingerprint(home.sshHostKey());
    return { adminToken, isNewToken, https, hostKey, recovering: server?.recovering, redisMoved, stop };
  } catch (error) {
    await stop();
    // A failed start leaves nothing running that it started; what ran before keeps its traffic.
    for (const [index, name] of SERVICES.entries()) {
      if (ranBefore[index] !== false) continue;
      await endService(home.service(name), SERVICE_GRACE_MS);
      if (name === "haproxy") await leaveProxies(context);
    }
    throw error;
  }
}
