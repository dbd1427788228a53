import { AppError, isAppError } from "../../../core/errors/app-error.js";
import type { FleetRole } from "../../../core/records/fleet/fleet-host.js";
import type { DropletSettings } from "../../../core/settings/fleet-settings.js";
import type { DigitalOcean } from "../../digitalocean/digitalocean.js";
import type { Droplet as ApiDroplet } from "../../digitalocean/droplets/droplet.js";
import type { FirewallPlan } from "../../digitalocean/network/firewalls.js";
import { userDataOf } from "../../digitalocean/droplets/user-data.js";
import type { Droplet, DropletOrder, Droplets } from "./droplets.js";
import type { Snapshot, Snapshots } from "./snapshots.js";

const DEBIAN = "debian-12-x64";
const TIMEOUT_MS = 60_000;
const EVERYBODY = ["0.0.0.0/0", "::/0"];

export interface DigitalOceanDropletsOptions {
  readonly api: DigitalOcean;
  readonly snapshots: Pick<Snapshots, "list">;
  /** A tag of every droplet of this installation, and the beginning of the names of what it needs besides. */
  readonly installation: string;
  /** For `authorized_keys`. */
  readonly publicKey: string;
  /** Ports of a proxy that everybody reaches. */
  readonly openPorts: readonly number[];
  /** The server's private address: it need not be a droplet. */
  readonly serverAddress: string;
}

/** The droplets of an account that this installation has ordered. */
export class DigitalOceanDroplets implements Droplets {
  constructor(private readonly options: DigitalOceanDropletsOptions) {}

  async quote(
    role: FleetRole,
    { size, region, image }: DropletSettings & { readonly region: string },
    { isSnapshot }: { readonly isSnapshot: boolean },
  ): Promise<{ readonly image: string | number; readonly monthlyUsd: number }> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const sizes = await this.options.api.sizes.list(signal);
    const found = sizes.find(({ slug }) => slug === size);
    if (found?.isAvailable !== true || !found.regions.includes(region))
      throw new AppError("fleet-size-unknown", {
        ...{ role, size, region },
        known: sizes.filter((one) => one.isAvailable && one.regions.includes(region)).map(({ slug }) => slug),
      });
    const { monthlyUsd, diskGb } = found;
    if (image !== undefined) return { image, monthlyUsd };
    const fitting = (isSnapshot ? [] : await this.snapshots(signal)).find(
      (snapshot) =>
        snapshot.role === role && snapshot.regions.includes(region) && snapshot.minDiskGigabytes <= diskGb,
    );
    return { image: fitting?.name ?? DEBIAN, monthlyUsd };
  }

  async order({ name, mark, role, group, hostKey }: DropletOrder, signal: AbortSignal): Promise<Droplet> {
    const { api, installation, publicKey } = this.options;
    const { id } = await api.sshKeys.ensure({ name: installation, publicKey }, signal);
    for (const plan of this.firewalls()) await api.firewalls.ensure(plan, signal);
    const { size, region, image = DEBIAN, vpc, sshKeys } = group;
    const made = await api.droplets.create(
      {
        ...{ mark, name, size, region, image: await this.imageOf(image, signal) },
        sshKeys: [id, ...sshKeys],
        tags: [installation, `${installation}-${role}`],
        userData: userDataOf({ hostname: name, hostKey, authorizedKeys: [publicKey] }),
        ...(vpc === undefined ? {} : { vpc }),
      },
      signal,
    );
    return dropletOf(made);
  }

  async find(mark: string, signal: AbortSignal): Promise<Droplet | undefined> {
    const found = await this.options.api.droplets.findByMark(mark, signal);
    return found && dropletOf(found);
  }

  async list(signal: AbortSignal): Promise<Droplet[]> {
    const { api, installation } = this.options;
    return (await api.droplets.listByTag(installation, signal)).map(dropletOf);
  }

  async holderOf(address: string, signal: AbortSignal): Promise<number | undefined> {
    return (await this.options.api.reservedIps.read(address, signal)).droplet;
  }

  async giveAddress(address: string, droplet: number, signal: AbortSignal): Promise<void> {
    await this.options.api.reservedIps.assign(address, droplet, { timeoutMs: TIMEOUT_MS, signal });
  }

  async destroy(
    { id, mark }: { readonly id: number; readonly mark: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { api } = this.options;
    await api.droplets.delete(id, signal);
    // A tag outlives what it was given to.
    if ((await api.droplets.findByMark(mark, signal)) === undefined) await api.tags.delete(mark, signal);
  }

  /** A token without the scopes for snapshots has taken none. */
  private async snapshots(signal: AbortSignal): Promise<Snapshot[]> {
    return this.options.snapshots.list(signal).catch((error: unknown) => {
      if (isAppError(error, "digitalocean-scope-missing")) return [];
      throw error;
    });
  }

  /** A slug or an id, as DigitalOcean takes them. */
  private async imageOf(image: string, signal: AbortSignal): Promise<string | number> {
    if (/^\d+$/.test(image)) return Number(image);
    if (!image.startsWith(`${this.options.installation}-`)) return image;
    return (await this.snapshots(signal)).find(({ name }) => name === image)?.id ?? DEBIAN;
  }

  /** Before a packet reaches a droplet; the droplet's own firewall says the same once more. */
  private firewalls(): FirewallPlan[] {
    const { installation, openPorts, serverAddress } = this.options;
    const ours = { tags: [installation], addresses: [`${serverAddress}/32`] };
    return [
      {
        name: installation,
        tags: [installation],
        inbound: [
          { protocol: "icmp", addresses: EVERYBODY },
          { protocol: "tcp", ports: "22", addresses: EVERYBODY },
          { protocol: "tcp", ports: "all", ...ours },
          { protocol: "udp", ports: "all", ...ours },
        ],
      },
      {
        name: `${installation}-proxy`,
        tags: [`${installation}-proxy`],
        inbound: openPorts.map((port) => ({
          protocol: "tcp" as const,
          ports: String(port),
          addresses: EVERYBODY,
        })),
      },
    ];
  }
}

function dropletOf({
  id,
  name,
  status,
  publicAddress,
  privateAddress,
  tags,
  monthlyUsd,
}: ApiDroplet): Droplet {
  return { id, name, isActive: status === "active", publicAddress, privateAddress, tags, monthlyUsd };
}
