import { hostname } from "node:os";
import { systemClock } from "../../../core/clock.js";
import type { Settings } from "../../../core/settings/settings.js";
import { AddressPolicy } from "../../../core/network/address-policy.js";
import type { HostRole } from "../../../core/records/hosts/host-record.js";
import { Monitor } from "../../../monitor/monitor.js";
import type { InstanceUsage } from "../../../monitor/sampling/instance-usage.js";
import { FleetRequests } from "../../../core/records/fleet/fleet-requests.js";
import { redisTime } from "../../../core/redis/connection.js";
import { RequestedFleet } from "../../../monitor/autoscaling/requested-fleet.js";
import { startNotices } from "../../../monitor/notices/start-notices.js";
import { RunitUsage } from "../../../server/engines/runit/usage/runit-usage.js";
import { controlUrl } from "../../../server/releases/public-url.js";
import type { RoleOptions } from "./role.js";

/** Samples this machine, compares the samples with the rules, and tells who is to be told. */
export async function startMonitorRole(options: RoleOptions): Promise<void> {
  const { context, redis, log, atStop } = options;
  const { home, settings, path } = context;
  const { monitor } = settings;
  const addresses = new AddressPolicy(settings.network.allow);
  const pagesUrl = controlUrl(settings);
  const notices = startNotices({ redis, settings: monitor, pagesUrl, addresses, clock: systemClock, log });
  atStop(notices.stop);
  const running = await new Monitor({
    home,
    usage: await usageOf(options),
    redis,
    settings: monitor,
    host: monitor.host ?? hostname(),
    roles: monitor.roles ?? hostRoles(options),
    actions: notices.actions,
    ...(canGrow(settings) ? { fleet: requestedFleet(redis) } : {}),
    path,
    log,
  }).start();
  atStop(async () => running.stop());
  if (settings.engine === "swarm") await limitWriting(options);
}

/** An app that fills a host's disk harms all others there. */
async function limitWriting({ context: { settings }, log, atStop }: RoleOptions): Promise<void> {
  const { SwarmApi, DOCKER_SOCKET } = await import("../engines/swarm-parts.js");
  const { WrittenLimit } = await import("../../../server/engines/swarm/written-limit.js");
  const megabytes = settings.instances.scratchMegabytes;
  const limit = new WrittenLimit({ api: new SwarmApi(DOCKER_SOCKET), megabytes, log }).start();
  atStop(async () => limit.stop());
}

function canGrow({ engine, fleet }: Settings): boolean {
  return engine === "swarm" && fleet.production.max > 0;
}

function requestedFleet(redis: RoleOptions["redis"]): RequestedFleet {
  return new RequestedFleet(new FleetRequests(redis), async () => redisTime(redis));
}

async function usageOf({ context: { home, settings } }: RoleOptions): Promise<InstanceUsage> {
  if (settings.engine === "runit") return new RunitUsage(home);
  const { SwarmApi, DOCKER_SOCKET } = await import("../engines/swarm-parts.js");
  const { SwarmUsage } = await import("../../../server/engines/swarm/swarm-usage.js");
  return new SwarmUsage(new SwarmApi(DOCKER_SOCKET));
}

/** What a host is by what runs on it. */
function hostRoles({ roles, isOwnRedis }: RoleOptions): HostRole[] {
  return [
    ...(roles.includes("proxy") ? ["proxy" as const] : []),
    ...(isOwnRedis ? ["redis" as const] : []),
    ...(roles.includes("server") ? ["production" as const, "staging" as const] : []),
  ];
}
