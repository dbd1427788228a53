import { randomInt } from "node:crypto";
import { mkdir, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Mount } from "../../../../core/exec/sandbox/sandbox-policy.js";
import { Firewall, type FirewallOptions } from "./firewall.js";
import { insideRules } from "./firewall-rules.js";
import { networkNames, networkPlan, SLOTS, type NetworkNames, type NetworkPlan } from "./network-plan.js";
import { NetworkTools } from "./network-tools.js";
import { RESOLV_CONF } from "./resolver.js";

export interface NetworksOptions extends FirewallOptions {
  /** Where it stands who has which network; the state folder's own. */
  readonly folder: string;
}

export interface Network {
  /** The file of its namespace. */
  readonly namespace: string;
  /** Where this machine finds what listens inside, whichever address it listens at. */
  readonly address: string;
  /** What a program in it sees instead of the machine's own. */
  readonly mounts: readonly Mount[];
}

const NAMESPACES = "/run/netns";
const DEVICES = "/sys/class/net";
const INSIDE = "eth0";
const MOST_TRIES = 50;

/**
 * A network for each sandbox (network_namespaces(7)): nobody else listens in it, it reaches the internet and what is offered
 * to it, and only this machine reaches it. Needs root.
 */
export class Networks {
  private readonly removals = new Map<string, Promise<void>>();
  private readonly tools: NetworkTools;
  private readonly names: NetworkNames;

  private constructor(
    private readonly options: Pick<NetworksOptions, "folder" | "owner" | "path">,
    private readonly mounts: readonly Mount[],
    private readonly firewall?: Firewall,
  ) {
    this.tools = new NetworkTools(options.path);
    this.names = networkNames(options.owner);
  }

  /** Sets the rules up, anew, and keeps them until it is stopped. Throws what nft(8) or ip(8) says. */
  static async open(options: NetworksOptions): Promise<Networks> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const firewall = await Firewall.open(options);
    // Where it is a link, the file behind it; without any, programs ask 127.0.0.1.
    const to = await realpath(RESOLV_CONF).catch(() => undefined);
    const mounts = to === undefined ? [] : [{ from: options.resolvConf, to, access: "read" as const }];
    return new Networks(options, mounts, firewall);
  }

  /** They stay. */
  async stop(): Promise<void> {
    await this.firewall?.stop();
  }

  /** Removes the rules and every network of a state folder, if there are any. */
  static async removeAll(of: Pick<NetworksOptions, "folder" | "owner" | "path">): Promise<void> {
    if ((await readdir(of.folder).catch(() => undefined)) === undefined) return;
    await new Networks(of, []).keepOnly(new Set());
    await Firewall.remove(of);
    await rm(of.folder, { recursive: true, force: true });
  }

  /** The network of an instance or a task, made now if there is none. */
  async ensure(id: string, kind: "instance" | "task"): Promise<Network> {
    const kept = await this.slotOf(id);
    if (kept !== undefined) {
      const plan = networkPlan(kept, this.devices(kind));
      if (await this.exists(plan)) return this.asNetwork(plan);
    }
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const slot = attempt === 0 && kept !== undefined ? kept : randomInt(1, SLOTS);
      const plan = networkPlan(slot, this.devices(kind));
      // Noted before it is made: what a crash leaves half made is found again.
      await writeFile(this.note(id), JSON.stringify({ slot, kind }));
      if (await this.make(plan)) return this.asNetwork(plan);
    }
    throw new Error("no network is free");
  }

  /** Can be asked twice at once. */
  async remove(id: string): Promise<void> {
    const removal = (this.removals.get(id) ?? this.take(id)).finally(() => this.removals.delete(id));
    this.removals.set(id, removal);
    await removal;
  }

  private async take(id: string): Promise<void> {
    const note = await this.read(id);
    if (note === undefined) return;
    const { namespace, device } = networkPlan(note.slot, this.devices(note.kind));
    // The namespace may be another's if this one was never made; its cable is not.
    if (await this.hasDevice(device)) {
      await this.tools.run(["ip", "link", "delete", device]);
      await this.tools.run(["ip", "netns", "delete", namespace]);
    }
    await rm(this.note(id), { force: true });
  }

  /** Removes those that are nobody's. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    for (const id of await readdir(this.options.folder)) if (!ids.has(id)) await this.remove(id);
  }

  /** False when the slot is taken: another state folder of this machine has it. */
  private async make(plan: NetworkPlan): Promise<boolean> {
    const { namespace, device, gateway, address } = plan;
    const added = await this.tools.attempt(["ip", "netns", "add", namespace]);
    if (added.status !== 0) {
      if (/exists/i.test(added.stderr)) return false;
      throw new Error(`ip netns add: ${added.stderr}`);
    }
    const outside = [
      `link add ${device} type veth peer name ${INSIDE} netns ${namespace}`,
      `addr add ${gateway}/30 dev ${device}`,
      `link set ${device} up`,
    ];
    await this.tools.run(["ip", "-batch", "-"], outside.join("\n"));
    // It may send to what is offered at 127.0.0.1, which its rules allow or not.
    await writeFile(`/proc/sys/net/ipv4/conf/${device}/route_localnet`, "1");
    const inside = [
      `link set lo up`,
      `addr add ${address}/30 dev ${INSIDE}`,
      `link set ${INSIDE} up`,
      `route add default via ${gateway}`,
    ];
    await this.tools.run(["ip", "-n", namespace, "-batch", "-"], inside.join("\n"));
    const settle = `echo 1 >/proc/sys/net/ipv4/conf/${INSIDE}/route_localnet && exec nft -f -`;
    const enter = ["nsenter", `--net=${join(NAMESPACES, namespace)}`, "--", "/bin/sh", "-c", settle] as const;
    await this.tools.run(enter, insideRules({ device: INSIDE }));
    return true;
  }

  private async exists({ device }: NetworkPlan): Promise<boolean> {
    return this.hasDevice(device);
  }

  private async hasDevice(device: string): Promise<boolean> {
    return (await readdir(DEVICES)).includes(device);
  }

  private async slotOf(id: string): Promise<number | undefined> {
    return (await this.read(id))?.slot;
  }

  private async read(id: string): Promise<{ slot: number; kind: "instance" | "task" } | undefined> {
    const text = await readFile(this.note(id), "utf8").catch(() => undefined);
    return text === undefined || text === ""
      ? undefined
      : (JSON.parse(text) as { slot: number; kind: "instance" | "task" });
  }

  private note(id: string): string {
    return join(this.options.folder, id);
  }

  private devices(kind: "instance" | "task"): string {
    return kind === "instance" ? this.names.instances : this.names.tasks;
  }

  private asNetwork({ namespace, address }: NetworkPlan): Network {
    return { namespace: join(NAMESPACES, namespace), address, mounts: this.mounts };
  }
}
