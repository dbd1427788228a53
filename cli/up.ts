import { createWriteStream } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { AppError, isAppError } from "../core/app-error.js";
import { systemClock } from "../core/clock.js";
import { createLog, type Log } from "../core/log.js";
import type { HostRole } from "../core/records/host-record.js";
import { connectRedis, openRedis } from "../core/redis/connection.js";
import { endService, isSupervised, serviceState } from "../core/runsv.js";
import { readOrMakeSecret } from "../core/secrets.js";
import { Monitor } from "../monitor/monitor.js";
import { startNotices } from "../monitor/notices/start-notices.js";
import { Follower } from "../proxy/follow.js";
import { paths, WAKE_HEADER } from "../proxy/haproxy/configuration.js";
import { Waker } from "../proxy/waker.js";
import { RunitEngine } from "../server/engines/runit/runit-engine.js";
import { controlUrl } from "../server/releases/public-url.js";
import { startServer } from "../server/server.js";
import type { Context } from "./context.js";
import { checkHome, checkPort, checkPrograms } from "./preflight.js";
import { startPrivateHaproxy } from "./private-haproxy.js";
import { startPrivateRedis, type PrivateRedis } from "./private-redis.js";
import { lockHome } from "./server-lock.js";
import { lastLogLines, SERVICE_GRACE_MS, SERVICES } from "./service.js";
import { systemUser } from "./system-user.js";

import { type Role } from "./roles/role.js";

export interface Running {
  readonly adminToken: string;
  /** Whether the token was made just now, and should be shown. */
  readonly isNewToken: boolean;
  /** Stops this process's roles. Traffic goes on. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 15_000;
const POLL_MS = 20;
const LONGEST_LOG_BYTES = 20 * 1024 * 1024;

/** Starts the roles in this process, and Redis and HAProxy beside it where they do not run yet. Resolves when all answers. */
export async function up(context: Context, roles: readonly Role[]): Promise<Running> {
  const { home, settings, isRoot } = context;
  await checkPrograms(context.path);
  await checkHome(context);
  const unlock = await lockHome(home);
  const stops: (() => Promise<void>)[] = [unlock];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  const ranBefore = await Promise.all(SERVICES.map(async (name) => isSupervised(home.service(name))));
  try {
    await checkPorts(context, roles);
    const log = await openLog(context);
    const { secret, made } = await readOrMakeSecret(home.token());
    const adminToken = settings.token ?? secret;
    const own =
      settings.redis.url === undefined
        ? await startPrivateRedis(home, context.path, isRoot ? await systemUser("redis") : undefined)
        : undefined;
    const redis = await redisOf(context, own, log);
    stops.push(async () => {
      redis.disconnect();
    });
    if (roles.includes("proxy")) await startProxyRole(context, redis, log, stops);
    if (roles.includes("server")) stops.push(await startServerRole(context, redis, own, adminToken, log));
    if (roles.includes("monitor"))
      await startMonitorRole(context, hostRoles(roles, own !== undefined), redis, log, stops);
    log.info({ roles, version: context.version }, "up");
    return { adminToken, isNewToken: made && settings.token === undefined, stop };
  } catch (error) {
    await stop();
    // Nothing is left running by a start that failed; what ran before has its traffic.
    for (const [index, name] of SERVICES.entries())
      if (ranBefore[index] === false) await endService(home.service(name), SERVICE_GRACE_MS);
    throw error;
  }
}

async function startProxyRole(
  context: Context,
  redis: Redis,
  log: Log,
  stops: (() => Promise<void>)[],
): Promise<void> {
  const { home, settings, isRoot } = context;
  const haproxy = await startPrivateHaproxy(
    home,
    settings,
    context.path,
    isRoot ? await systemUser("haproxy") : undefined,
  );
  await answering(context, "haproxy", async () => haproxy.apps());
  const follower = await new Follower({
    proxy: haproxy,
    redis,
    id: proxyId(context),
    domain: settings.domain,
    defaultApp: settings.default,
    log,
  }).start();
  stops.push(async () => follower.stop());
  const waker = await new Waker({
    redis,
    path: paths.wakeSocket(home.haproxy().replace(/\/$/, "")),
    header: WAKE_HEADER,
    log,
  }).start();
  stops.push(async () => waker.stop());
}

async function startServerRole(
  context: Context,
  redis: Redis,
  own: PrivateRedis | undefined,
  adminToken: string,
  log: Log,
): Promise<() => Promise<void>> {
  const { home, settings, isRoot, path, version, installation } = context;
  const proxyGroup = isRoot ? (await systemUser("haproxy"))?.gid : undefined;
  const engine = await RunitEngine.open({
    home,
    ports: settings.instances.ports,
    logBytes: settings.limits.logMegabytes * 1024 * 1024,
    path,
    ...(proxyGroup === undefined ? {} : { socketGroup: proxyGroup }),
  });
  const server = await startServer({
    home,
    settings,
    redis,
    engine,
    appRedis:
      own === undefined
        ? { url: withoutUser(settings.redis.url ?? ""), persistent: false }
        : { url: own.url, persistent: true },
    adminToken,
    id: proxyId(context),
    hooksFolder: join(installation, "hooks"),
    path,
    networkEnv: context.networkEnv,
    isRoot,
    version,
    log,
  });
  return async () => server.stop();
}

async function startMonitorRole(
  { home, settings, path }: Context,
  roles: readonly HostRole[],
  redis: Redis,
  log: Log,
  stops: (() => Promise<void>)[],
): Promise<void> {
  const { monitor } = settings;
  const pagesUrl = controlUrl(settings);
  const notices = startNotices({ redis, settings: monitor, pagesUrl, clock: systemClock, log });
  stops.push(notices.stop);
  const running = await new Monitor({
    home,
    redis,
    settings: monitor,
    host: monitor.host ?? hostname(),
    roles: monitor.roles ?? roles,
    actions: notices.actions,
    path,
    log,
  }).start();
  stops.push(async () => running.stop());
}

/** What a host is by what runs on it. */
function hostRoles(roles: readonly Role[], hasRedis: boolean): HostRole[] {
  return [
    ...(roles.includes("proxy") ? ["proxy" as const] : []),
    ...(hasRedis ? ["redis" as const] : []),
    ...(roles.includes("server") ? ["production" as const, "staging" as const] : []),
  ];
}

async function redisOf(
  { home, settings, ...context }: Context,
  own: PrivateRedis | undefined,
  log: Log,
): Promise<Redis> {
  const redis = connectRedis(own?.address ?? { kind: "url", url: settings.redis.url ?? "" }, log);
  try {
    if (own === undefined) await openRedis(redis);
    else await answering({ home, settings, ...context }, "redis", async () => openRedis(redis));
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}

/** Waits until one of our programs answers. Throws `service-failed` with its last lines. */
async function answering(context: Context, name: string, ask: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof AppError) || isAppError(error, "internal")) throw error;
      if (Date.now() > deadline)
        throw new AppError(
          "service-failed",
          { service: name, log: await lastLogLines(context.home, name, 8) },
          { cause: error },
        );
    }
    await systemClock.sleep(POLL_MS);
  }
}

/** Ours may be taken by our own HAProxy, which runs on while the server is away. */
async function checkPorts({ home, settings }: Context, roles: readonly Role[]): Promise<void> {
  const { bind, httpPort, controlPort, sshPort } = settings;
  const isOurs = (await serviceState(home.service("haproxy"))).pid !== undefined;
  if (roles.includes("proxy") && !isOurs) await checkPort(bind, httpPort, "traffic", "SLUICE_HTTP_PORT");
  if (!roles.includes("server")) return;
  await checkPort(bind, controlPort, "control", "SLUICE_CONTROL_PORT");
  await checkPort(bind, sshPort, "Git over SSH", "SLUICE_SSH_PORT");
}

async function openLog({ home, settings }: Context): Promise<Log> {
  const size = await stat(home.log()).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > LONGEST_LOG_BYTES) await rename(home.log(), `${home.log()}.1`);
  return createLog(createWriteStream(home.log(), { flags: "a", mode: 0o600 }), settings.logLevel);
}

/** One server per state folder and machine. */
function proxyId({ home }: Context): string {
  return `${hostname()}:${home.root}`;
}

function withoutUser(url: string): string {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return bare.toString();
}
