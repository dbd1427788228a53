import { stringify } from "yaml";
import { isSizedRole, type FleetHost, type FleetRole } from "../../../core/records/fleet/fleet-host.js";
import type { Settings } from "../../../core/settings/settings.js";
import { packagesOf, upRolesOf } from "../../roles/roles.js";
import { redisPlacesText, type RedisPlaces } from "../../../core/redis/replicas/redis-places.js";
import { replicaOrderText } from "../../../core/redis/replicas/replica-order.js";
import type {
  HostPlan,
  InstanceReach,
  PlannedFile,
  ShippedRelease,
  SwarmPlan,
} from "../../tasks/host-plan.js";
import type { FleetEngine, HostAccess, RedisAccess } from "../fleet-needs.js";
import type { Peers } from "../peers.js";

const HOME = "/var/lib/sluice";
const REDIS_CA = `${HOME}/redis-ca.crt`;

export interface HostPlanOptions {
  /** The server's. */
  readonly settings: Settings;
  /** Lines for `authorized_keys`. */
  readonly adminKeys: readonly string[];
  readonly access: Pick<HostAccess, "give">;
  readonly engine: Pick<FleetEngine, "joinToken">;
  readonly registry: SwarmPlan["registry"];
  readonly release: ShippedRelease;
  readonly offers: InstanceReach["offers"];
  /** What opens certificates (core/secrets), for proxies. */
  readonly certificateSecret: string;
}

/** What a host is to be by its roles and the server's settings. */
export async function hostPlanOf(
  { name, roles, port }: Pick<FleetHost, "name" | "roles" | "port">,
  privateAddress: string,
  peers: Peers,
  options: HostPlanOptions,
): Promise<HostPlan> {
  const { settings, adminKeys, access, engine, registry, release, offers, certificateSecret } = options;
  const replicas = withItself(peers.replicas, { host: name, address: privateAddress, roles });
  const redis = await access.give({ name, roles, address: privateAddress }, replicas);
  const runsInstances = roles.some(isSizedRole);
  const { virtualAddress: address } = settings.fleet;
  const sharesAddress = address !== undefined && peers.proxies.includes(privateAddress);
  return {
    ...{ name, privateAddress, adminKeys, release, upRoles: upRolesOf(roles) },
    packages: packagesOf(roles, { sharesAddress }),
    peers: [...new Set([...peers.hosts, privateAddress])].sort(),
    sshPort: port,
    instanceReach: {
      offers: [...offers, ...appsReplicas(redis.places)],
      networks: settings.instances.allowNetworks,
    },
    openPorts: roles.includes("proxy") ? portsOf(settings) : [],
    settings: settingsOf(name, roles, privateAddress, redis, settings),
    files: [
      ...filesOf(name, privateAddress, redis),
      ...(roles.includes("proxy")
        ? [{ path: `${HOME}/certificates_key`, text: `${certificateSecret}\n` }]
        : []),
    ],
    virtualAddress: sharesAddress
      ? { address, proxies: peers.proxies, httpPort: settings.httpPort }
      : undefined,
    swarm: runsInstances ? { ...(await engine.joinToken()), registry } : undefined,
  };
}

/** What everybody reaches of a proxy. */
export function portsOf({ httpPort, httpsPort = 0 }: Pick<Settings, "httpPort" | "httpsPort">): number[] {
  return [...new Set([80, 443, httpPort, ...(httpsPort === 0 ? [] : [httpsPort])])];
}

function withItself(
  replicas: RedisPlaces["replicas"],
  {
    host,
    address,
    roles,
  }: { readonly host: string; readonly address: string; readonly roles: readonly string[] },
): RedisPlaces["replicas"] {
  const isNew = roles.includes("redis") && replicas.every((replica) => replica.host !== host);
  return isNew ? [...replicas, { host, address }] : replicas;
}

/** Where instances find the apps' Redis when its primary is gone. */
function appsReplicas(places: RedisPlaces | undefined): InstanceReach["offers"] {
  if (places === undefined) return [];
  return places.replicas.map(({ address }) => ({ address, port: places.appsPort }));
}

function filesOf(host: string, address: string, { ca, url, places, replica }: RedisAccess): PlannedFile[] {
  return [
    ...(ca === "" ? [] : [{ path: REDIS_CA, text: ca }]),
    ...(places === undefined ? [] : [{ path: `${HOME}/redis-places.json`, text: redisPlacesText(places) }]),
    ...(replica === undefined || places === undefined
      ? []
      : [
          { path: `${HOME}/redis/tls/ca.crt`, text: ca },
          { path: `${HOME}/redis/tls/server.crt`, text: replica.certificate },
          { path: `${HOME}/redis/tls/server.key`, text: replica.key },
          {
            path: `${HOME}/redis-replica.json`,
            text: replicaOrderText({
              ...{ host, address, user: new URL(url).username, password: replica.password },
              serverPasswordHash: replica.serverPasswordHash,
            }),
          },
        ]),
  ];
}

/** What a droplet is to be from whose disk later ones of a role are made: it has no secret, no peers, no Swarm. */
export function snapshotPlanOf(
  { name, port }: Pick<FleetHost, "name" | "port">,
  role: FleetRole,
  { settings, adminKeys, release }: Pick<HostPlanOptions, "settings" | "adminKeys" | "release">,
): HostPlan {
  const sharesAddress = role === "proxy" && settings.fleet.virtualAddress !== undefined;
  return {
    ...{ name, adminKeys, release, sshPort: port, packages: packagesOf([role], { sharesAddress }) },
    ...{ privateAddress: "", peers: [], openPorts: [], instanceReach: { offers: [], networks: [] } },
    ...{ settings: "", files: [], upRoles: [], virtualAddress: undefined, swarm: undefined },
  };
}

/** sluice.yml of another host: what of the server's its roles need. */
function settingsOf(
  name: string,
  roles: readonly FleetRole[],
  address: string,
  redis: Pick<RedisAccess, "url" | "ca">,
  settings: Settings,
): string {
  const { domain, httpPort, httpsPort, proxy, trustedProxies, proxyProtocolFrom } = settings;
  const { network, monitor, logLevel, fleet } = settings;
  const { virtualAddress } = fleet;
  const { appsMemoryMegabytes, appsScriptSeconds } = settings.redis;
  const shared = roles.includes("proxy") ? { virtualAddress } : {};
  const proxySettings = {
    bind: "0.0.0.0",
    httpPort,
    httpsPort,
    domain,
    proxy,
    trustedProxies,
    proxyProtocolFrom,
    default: settings.default,
  };
  return `# Written by Sluice; changes made by hand are lost.\n${stringify({
    engine: "swarm",
    // Whether there can be more hosts, for the monitor that leads.
    fleet: { address, production: { max: fleet.production.max }, ...shared },
    redis: {
      url: redis.url,
      ...(redis.ca === "" ? {} : { caFile: REDIS_CA }),
      ...(roles.includes("redis") ? { appsMemoryMegabytes, appsScriptSeconds } : {}),
    },
    ...(roles.includes("proxy") ? proxySettings : { domain, httpPort }),
    network,
    instances: { scratchMegabytes: settings.instances.scratchMegabytes },
    monitor: { ...monitor, host: name, roles },
    logLevel,
  })}`;
}
