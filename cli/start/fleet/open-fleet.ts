import { machine } from "node:os";
import { AppError } from "../../../core/errors/app-error.js";
import { systemClock } from "../../../core/clock.js";
import { ownerMark } from "../../../core/instances/control-group.js";
import { FleetHosts } from "../../../core/records/fleet/fleet-hosts.js";
import { FleetLog } from "../../../core/records/fleet/fleet-log.js";
import { FleetRequests } from "../../../core/records/fleet/fleet-requests.js";
import { HostRecords } from "../../../core/records/hosts/host-records.js";
import { SampleSeries } from "../../../core/records/hosts/sample-series.js";
import { ProxyReports } from "../../../core/records/routes/proxy-reports.js";
import { TrafficSeries } from "../../../core/records/traffic/traffic-series.js";
import { redisTime } from "../../../core/redis/connection.js";
import type { Database } from "../../../core/redis/database.js";
import { keys } from "../../../core/redis/keys.js";
import { certificateSecret, openSecretBox } from "../../../core/secrets.js";
import { shippedRelease } from "../../../provisioning/converge/shipped-release.js";
import { DigitalOcean } from "../../../provisioning/digitalocean/digitalocean.js";
import { DigitalOceanDroplets } from "../../../provisioning/fleet/droplets/digitalocean-droplets.js";
import { DigitalOceanSnapshots } from "../../../provisioning/fleet/droplets/digitalocean-snapshots.js";
import { Fleet } from "../../../provisioning/fleet/fleet.js";
import { FleetGrowth } from "../../../provisioning/fleet/sizing/fleet-growth.js";
import type { FleetNeeds } from "../../../provisioning/fleet/fleet-needs.js";
import { FleetOrders } from "../../../provisioning/fleet/fleet-orders.js";
import { FleetSizing } from "../../../provisioning/fleet/sizing/fleet-sizing.js";
import { FleetReplacement } from "../../../provisioning/fleet/sizing/fleet-replacement.js";
import { ReservedAddress } from "../../../provisioning/fleet/reserved-address.js";
import type { InstanceReach } from "../../../provisioning/tasks/host-plan.js";
import { portsOf } from "../../../provisioning/fleet/setup/host-plan-of.js";
import { SshSetup } from "../../../provisioning/fleet/setup/ssh-setup.js";
import type { EngineHosts } from "../../../server/engines/engine-hosts.js";
import type { AppsRedis } from "../apps-redis/apps-redis.js";
import type { RoleOptions } from "../roles/role.js";
import { hostAccess } from "./host-access.js";
import { hostReports } from "./host-reports.js";
import { hostsKey } from "./hosts-key.js";

export interface OpenFleetOptions {
  readonly role: RoleOptions;
  readonly engine: EngineHosts;
  /** Of images, with the certificate (PEM) of who vouches for it; undefined for a public authority. */
  readonly registry: { readonly address: string; readonly authority: string | undefined };
  /** At which the other hosts reach this one. */
  readonly address: string;
  /** Undefined where it is one of somebody's own. */
  readonly appsRedis: AppsRedis["users"] | undefined;
  /** What instances reach in private networks: the apps' Redis, and the flags. */
  readonly offers: InstanceReach["offers"];
}

export interface OpenedFleet {
  readonly orders: FleetOrders;
  /** Begins to do what was ordered. */
  start(): void;
}

/** What makes, configures and removes the hosts besides this one. Throws `digitalocean-token-missing` when a reserved IP is to be moved. */
export async function openFleet({
  role,
  engine,
  registry,
  address,
  appsRedis,
  offers,
}: OpenFleetOptions): Promise<OpenedFleet> {
  const { context, redis, id, log: serverLog, atStop } = role;
  const { home, settings, installation, version } = context;
  const [key, box] = [await hostsKey(home), await openSecretBox(home.key())];
  const access = await hostAccess(role, { address, box, appsRedis });
  const [hosts, log] = [new FleetHosts(redis), new FleetLog(redis)];
  const [records, series] = [new HostRecords(redis), new SampleSeries(redis)];
  const mark = `sluice-${ownerMark(id)}`;
  const release = await shippedRelease({
    ...{ installation, version, node: process.execPath, architecture: machine() },
  });
  const plans = {
    ...{ settings, adminKeys: [key.publicKey], access, engine, registry, release, offers },
    certificateSecret: certificateSecret(box),
  };
  const needs: FleetNeeds = {
    ...{ hosts, log, engine, access, key, box, serverLog, installation: mark, clock: systemClock },
    settings: settings.fleet,
    settingsFile: home.settings(),
    reports: hostReports({
      ...{ records, series },
      proxies: new ProxyReports(redis),
      traffic: new TrafficSeries(redis),
      now: async () => redisTime(redis),
    }),
    setup: new SshSetup({ plans, key, box, log, clock: systemClock, serverAddress: address }),
    ...cloudOf(role, mark, key.publicKey, address),
    release: release.id,
  };
  const fleet = new Fleet(needs);
  const growth = new FleetGrowth(needs, new FleetRequests(redis), fleet);
  const sizing = new FleetSizing({
    ...{ needs, growth, records, series },
    isReleasing: async () => isReleasing(redis),
    now: async () => redisTime(redis),
  });
  return {
    orders: new FleetOrders(needs, fleet),
    start: () => {
      const replacement = new FleetReplacement(needs, fleet);
      const { reservedAddress } = settings.fleet;
      const address = reservedAddress === undefined ? [] : [new ReservedAddress(needs, reservedAddress)];
      for (const loop of [fleet, growth, sizing, replacement, ...address]) {
        const running = loop.start();
        atStop(async () => running.stop());
      }
    },
  };
}

function cloudOf(
  { context: { settings }, log }: RoleOptions,
  installation: string,
  publicKey: string,
  serverAddress: string,
): Pick<FleetNeeds, "droplets" | "snapshots"> {
  const { reservedAddress, digitalocean } = settings.fleet;
  const { token, url } = digitalocean;
  if (token === undefined) {
    // Nobody would move it.
    if (reservedAddress !== undefined) throw new AppError("digitalocean-token-missing", {});
    return { droplets: undefined, snapshots: undefined };
  }
  const api = new DigitalOcean({ url, token, clock: systemClock, log });
  const openPorts = portsOf(settings);
  const snapshots = new DigitalOceanSnapshots(api, installation);
  const options = { api, snapshots, installation, publicKey, openPorts, serverAddress };
  return { droplets: new DigitalOceanDroplets(options), snapshots };
}

/** Whether some app has a release under way. */
async function isReleasing(redis: Database): Promise<boolean> {
  const apps = await redis.hkeys(keys.apps);
  return apps.length > 0 && (await redis.exists(...apps.map((app) => keys.lock(app)))) > 0;
}
