import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab, SavedDisk } from "../lab.js";
import type { LabHost } from "../lab-host.js";
import type { CloudAddress, CloudDisk, CloudHost, CloudMachines, HostOrder } from "./cloud-host.js";

/** For `Lab.open`: Debian's cloud-init applies a droplet's user data. */
export const DROPLET_PACKAGES = ["cloud-init"];

/** cloud-init reads its data from the disk, and keeps what the lab has set up. */
const SETTINGS = `datasource_list: [NoCloud]
network: {config: disabled}
apt: {preserve_sources_list: true}
locale: false
`;

/** Boots a host of the lab for each droplet. Its address 10.77.N.2 is both the public and the private one. */
export class LabMachines implements CloudMachines {
  private readonly saved = new Map<CloudDisk, SavedDisk>();
  private readonly hosts = new Map<CloudHost, LabHost>();

  constructor(private readonly lab: Lab) {}

  readonly boot = async (order: HostOrder): Promise<CloudHost> => {
    const base = order.disk && this.saved.get(order.disk)?.disk;
    const prepare = async (root: string): Promise<void> => {
      await seed(root, order);
      await this.lab.allowKey(root);
    };
    const [host] = await this.lab.boot(1, { prepare, ...(base === undefined ? {} : { disk: base }) });
    if (host === undefined) throw new Error("the lab has no more hosts");
    const made: CloudHost = {
      address: host.address,
      cutOff: async () => host.cutOff(),
      shutDown: async () => host.shutDown(),
      remove: async () => this.lab.remove(host),
      saveDisk: async () => this.saveDisk(host),
    };
    this.hosts.set(made, host);
    return made;
  };

  /** The host behind a droplet, for instance to power it off. */
  hostAt(address: string): LabHost {
    const found = [...this.hosts.values()].find((host) => host.address === address);
    if (found === undefined) throw new Error(`no droplet has the address ${address}`);
    return found;
  }

  /** Folders of the snapshots that there are: what differs from a fresh Debian. */
  get disks(): string[] {
    return [...this.saved.values()].map(({ folder }) => folder);
  }

  async reserveAddress(): Promise<CloudAddress> {
    const reserved = await this.lab.reserveAddress();
    const moveTo = async (host: CloudHost | undefined): Promise<void> =>
      reserved.moveTo(host && this.hosts.get(host));
    return { address: reserved.address, moveTo };
  }

  private async saveDisk(host: LabHost): Promise<CloudDisk> {
    const kept = await this.lab.saveDisk(host);
    const disk = { remove: async () => this.removeDisk(disk) };
    this.saved.set(disk, kept);
    return disk;
  }

  private async removeDisk(disk: CloudDisk): Promise<void> {
    await this.saved.get(disk)?.remove();
    this.saved.delete(disk);
  }
}

/** cloudinit.readthedocs.io, "NoCloud". */
async function seed(
  root: string,
  { id, name, userData }: { id: number; name: string; userData: string },
): Promise<void> {
  const folder = join(root, "var/lib/cloud/seed/nocloud");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "meta-data"), `instance-id: "${id}"\nlocal-hostname: ${name}\n`);
  await writeFile(join(folder, "user-data"), userData, { mode: 0o600 });
  await writeFile(join(root, "etc/cloud/cloud.cfg.d/99-lab.cfg"), SETTINGS);
  await rm(join(root, "etc/cloud/cloud-init.disabled"), { force: true });
}
