import { randomUUID } from "node:crypto";
import { newSshKeyPair } from "../../../core/ssh-key-pair.js";
import { parseDocument } from "yaml";
import type { Boot } from "./cloud-host.js";
import type {
  BillItem,
  CloudAction,
  CloudDroplet,
  CloudKey,
  CloudReservedIp,
  CloudSnapshot,
  CloudVpc,
  DropletOrder,
  Quirk,
} from "./cloud-parts.js";
import { regions, type Region } from "./offers.js";

/** Everything that one account has. */
export class Cloud {
  readonly droplets = new Map<number, CloudDroplet>();
  readonly actions = new Map<number, CloudAction>();
  readonly snapshots = new Map<number, CloudSnapshot>();
  readonly keys = new Map<number, CloudKey>();
  readonly tags = new Set<string>();
  readonly firewalls = new Map<string, Record<string, unknown>>();
  /** By address. */
  readonly reservedIps = new Map<string, CloudReservedIp>();
  readonly vpcs = new Map<string, CloudVpc>();
  readonly history: BillItem[] = [];
  readonly quirks: Quirk[] = [];
  dropletLimit = 25;
  private lastId = 500_000;
  /** Work that is done at the second request after the one that asked for it. */
  private soon: { readonly action: CloudAction; left: number; work: () => Promise<void> }[] = [];
  /** Work that goes on in the background. */
  private readonly endings: Promise<void>[] = [];

  constructor(private readonly boot: Boot) {
    for (const { slug } of regions)
      this.addVpc({ name: `default-${slug}`, region: slug, range: "10.77.0.0/16", isDefault: true });
  }

  nextId(): number {
    return ++this.lastId;
  }

  addVpc(vpc: Omit<CloudVpc, "id">): CloudVpc {
    const made = { id: randomUUID(), ...vpc };
    this.vpcs.set(made.id, made);
    return made;
  }

  /** Begins to boot a host. The action completes when that has booted. */
  createDroplet(order: DropletOrder): { droplet: CloudDroplet; action: CloudAction } {
    const id = this.nextId();
    const createdAt = new Date().toISOString();
    const droplet: CloudDroplet = {
      ...{ ...order, id, createdAt },
      ...{ status: "new", host: undefined, hasAddress: false, settled: Promise.resolve() },
    };
    for (const tag of order.tags) this.tags.add(tag);
    this.droplets.set(id, droplet);
    const { name, size } = order;
    this.history.push({ id, name, monthlyUsd: size.price_monthly, created: createdAt });
    const action = this.begin("create", { id, type: "droplet" }, order.region);
    droplet.settled = this.bootHost(droplet, action, this.quirks.shift());
    return { droplet, action };
  }

  /** It costs nothing from now on. Its host is removed in the background. */
  deleteDroplet(droplet: CloudDroplet): void {
    this.droplets.delete(droplet.id);
    const freed = [...this.reservedIps.values()].filter((ip) => ip.droplet === droplet);
    for (const ip of freed) this.endings.push(this.assign(ip, undefined));
    const item = this.history.find(({ id }) => id === droplet.id);
    if (item !== undefined) item.destroyed = new Date().toISOString();
    this.endings.push(droplet.settled.then(async () => droplet.host?.remove()));
  }

  takeSnapshot(droplet: CloudDroplet, name: string): CloudAction {
    const action = this.begin("snapshot", { id: droplet.id, type: "droplet" }, droplet.region);
    const taken = droplet.settled.then(async () => {
      if (droplet.host === undefined) throw new Error("it has no disk");
      const id = this.nextId();
      const disk = await droplet.host.saveDisk();
      this.snapshots.set(id, { id, name, createdAt: new Date().toISOString(), droplet, disk });
    });
    this.endings.push(
      taken.then(() => this.end(action, "completed")).catch(() => this.end(action, "errored")),
    );
    return action;
  }

  /** Its system ends, or its power: here both take the same. */
  shutDown(droplet: CloudDroplet, type: "shutdown" | "power_off"): CloudAction {
    const action = this.begin(type, { id: droplet.id, type: "droplet" }, droplet.region);
    const ended = droplet.settled.then(async () => {
      await droplet.host?.shutDown();
      droplet.status = "off";
    });
    this.endings.push(
      ended.then(() => this.end(action, "completed")).catch(() => this.end(action, "errored")),
    );
    return action;
  }

  deleteSnapshot(snapshot: CloudSnapshot): void {
    this.snapshots.delete(snapshot.id);
    this.endings.push(snapshot.disk.remove());
  }

  /** Does quick work a little later, as DigitalOcean does. */
  doSoon(
    type: string,
    resource: CloudAction["resource"],
    region: Region,
    work: () => Promise<void>,
  ): CloudAction {
    const action = this.begin(type, resource, region);
    this.soon.push({ action, left: 2, work });
    return action;
  }

  async assign(ip: CloudReservedIp, droplet: CloudDroplet | undefined): Promise<void> {
    await ip.place.moveTo(droplet?.host);
    ip.droplet = droplet;
  }

  /** To be called for each request. */
  tick(): void {
    for (const each of this.soon) {
      if (--each.left > 0) continue;
      const done = each.work().then(
        () => this.end(each.action, "completed"),
        () => this.end(each.action, "errored"),
      );
      this.endings.push(done);
    }
    this.soon = this.soon.filter(({ left }) => left > 0);
  }

  /** Removes all hosts and disks. */
  async close(): Promise<void> {
    for (const droplet of [...this.droplets.values()]) this.deleteDroplet(droplet);
    for (const snapshot of [...this.snapshots.values()]) this.deleteSnapshot(snapshot);
    await Promise.all(this.endings);
  }

  private async bootHost(
    droplet: CloudDroplet,
    action: CloudAction,
    quirk: Quirk | undefined,
  ): Promise<void> {
    if (quirk === "never-active") return;
    const userData = quirk === "wrong-host-key" ? withOtherHostKey(droplet.userData) : droplet.userData;
    const { id, name, disk } = droplet;
    try {
      droplet.host = await this.boot({ id, name, userData, disk });
      if (quirk === "silent") await droplet.host.cutOff();
      droplet.status = "active";
      droplet.hasAddress = quirk !== "no-address";
      this.end(action, "completed");
    } catch (error) {
      process.stderr.write(`the droplet ${name} did not boot: ${String(error)}\n`);
      this.end(action, "errored");
    }
  }

  private begin(type: string, resource: CloudAction["resource"], region: Region): CloudAction {
    const id = this.nextId();
    const startedAt = new Date().toISOString();
    const action: CloudAction = {
      ...{ id, type, resource, region, startedAt },
      ...{ status: "in-progress", completedAt: undefined },
    };
    this.actions.set(id, action);
    return action;
  }

  private end(action: CloudAction, status: "completed" | "errored"): void {
    action.status = status;
    action.completedAt = new Date().toISOString();
  }
}

function withOtherHostKey(userData: string): string {
  const document = parseDocument(userData);
  const { privateKey, publicKey } = newSshKeyPair("another");
  document.set("ssh_keys", { ed25519_private: privateKey, ed25519_public: publicKey });
  return `#cloud-config\n${document.toString().replace(/^#cloud-config\n/, "")}`;
}
