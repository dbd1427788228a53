import { randomBytes } from "node:crypto";
import { AppError } from "../../../core/errors/app-error.js";
import type { FleetHost, FleetRole } from "../../../core/records/fleet/fleet-host.js";
import type { FleetNeeds } from "../fleet-needs.js";
import { freeHostName, parseHostName } from "../host-name.js";

const SSH_PORT = 22;

export interface DropletWish {
  readonly role: FleetRole;
  readonly name?: string | undefined;
  readonly keepFailed: boolean;
  readonly by: string;
  readonly reason?: string;
  /** A host that is lost: what it costs is not counted. */
  readonly replaces?: string;
  /** It becomes a snapshot for the role. */
  readonly isSnapshot?: boolean;
}

/**
 * The record of a droplet that is not ordered yet. Throws `digitalocean-token-missing`, `fleet-region-missing`,
 * `fleet-over-budget`, and what DigitalOcean says of the settings.
 */
export async function newDroplet(
  { role, name, keepFailed, by, reason, replaces, isSnapshot = false }: DropletWish,
  { hosts, settings, droplets, clock, installation, settingsFile }: FleetNeeds,
): Promise<FleetHost> {
  if (droplets === undefined) throw new AppError("digitalocean-token-missing", {});
  const group = settings[role];
  const { size, region } = group;
  if (region === undefined) throw new AppError("fleet-region-missing", { role, file: settingsFile });
  const { image, monthlyUsd } = await droplets.quote(role, { ...group, region }, { isSnapshot });
  const known = await hosts.list();
  const wouldBe = known
    .filter((host) => host.name !== replaces)
    .reduce((sum, { droplet }) => sum + (droplet?.monthlyUsd ?? 0), monthlyUsd);
  const { monthlyLimit: limit } = settings;
  if (limit !== undefined && wouldBe > limit) throw new AppError("fleet-over-budget", { wouldBe, limit });
  const at = new Date(clock.now()).toISOString();
  return {
    v: 1,
    name: name === undefined ? freeHostName(role, known) : parseHostName(name),
    ...(isSnapshot ? { roles: [], snapshot: { role } } : { roles: [role] }),
    phase: "creating",
    since: at,
    createdAt: at,
    by,
    ...(reason === undefined ? {} : { reason }),
    port: SSH_PORT,
    user: "root",
    droplet: { mark: `${installation}-${randomBytes(6).toString("hex")}`, size, region, image, monthlyUsd },
    keepFailed,
    isGone: false,
    peers: [],
    proxies: [],
    replicas: [],
    hasReservedAddress: false,
  };
}
