import { randomInt } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isIPv4 } from "node:net";
import { Readable } from "node:stream";
import { captureCommand } from "../../../../core/exec/exec.js";
import { ownerMark } from "../../../../core/instances/control-group.js";
import { firewallRules, insideRules, type FirewallOptions } from "./firewall.js";
import { networkPlan, SANDBOX_ADDRESSES, SLOTS, type NetworkPlan } from "./network-plan.js";

export interface NetworksOptions {
  /** Where it stands who has which network; the state folder's own. */
  readonly folder: string;
  /** The state folder. */
  readonly owner: string;
  readonly path: string;
  readonly offered: FirewallOptions["offered"];
  readonly allowed: FirewallOptions["allowed"];
}

export interface Network {
  /** The file of its namespace. */
  readonly namespace: string;
  /** Where this machine finds what listens inside, whichever address it listens at. */
  readonly address: string;
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

  private constructor(
    private readonly options: NetworksOptions,
    private readonly mark: string,
  ) {}

  /** Sets the rules up, anew. Throws what nft(8) or ip(8) says. */
  static async open(options: NetworksOptions): Promise<Networks> {
    const networks = new Networks(options, markOf(options.owner));
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await writeFile("/proc/sys/net/ipv4/ip_forward", "1");
    // What is meant for a network that is gone must not look for it elsewhere.
    await networks.run(["ip", "route", "replace", "unreachable", SANDBOX_ADDRESSES]);
    await networks.run(["nft", "-f", "-"], networks.rules(await nameservers()));
    return networks;
  }

  /** Removes the rules and every network of a state folder, if there are any. */
  static async removeAll(of: Pick<NetworksOptions, "folder" | "owner" | "path">): Promise<void> {
    if ((await readdir(of.folder).catch(() => undefined)) === undefined) return;
    const networks = new Networks({ ...of, offered: [], allowed: [] }, markOf(of.owner));
    await networks.keepOnly(new Set());
    // The first line makes it, so that the second finds one.
    await networks.run(
      ["nft", "-f", "-"],
      `table inet ${networks.table}\ndelete table inet ${networks.table}\n`,
    );
    await rm(of.folder, { recursive: true, force: true });
    const { stdout } = await captureCommand({ argv: ["nft", "list", "tables"], env: networks.env });
    const route = ["ip", "route", "delete", "unreachable", SANDBOX_ADDRESSES] as const;
    if (!stdout.includes(" sluice_")) await captureCommand({ argv: route, env: networks.env });
  }

  /** The network of an instance or a task, made now if there is none. */
  async ensure(id: string, kind: "instance" | "task"): Promise<Network> {
    const kept = await this.slotOf(id);
    if (kept !== undefined) {
      const plan = networkPlan(kept, this.prefix(kind));
      if (await this.exists(plan)) return asNetwork(plan);
    }
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const slot = attempt === 0 && kept !== undefined ? kept : randomInt(1, SLOTS);
      const plan = networkPlan(slot, this.prefix(kind));
      // Noted before it is made: what a crash leaves half made is found again.
      await writeFile(this.note(id), JSON.stringify({ slot, kind }));
      if (await this.make(plan)) return asNetwork(plan);
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
    const { namespace, device } = networkPlan(note.slot, this.prefix(note.kind));
    // The namespace may be another's if this one was never made; its cable is not.
    if (await this.hasDevice(device)) {
      await this.run(["ip", "link", "delete", device]);
      await this.run(["ip", "netns", "delete", namespace]);
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
    const added = await captureCommand({ argv: ["ip", "netns", "add", namespace], env: this.env });
    if (added.exit.status !== 0) {
      if (/exists/i.test(added.stderr)) return false;
      throw new Error(`ip netns add: ${added.stderr}`);
    }
    const outside = [
      `link add ${device} type veth peer name ${INSIDE} netns ${namespace}`,
      `addr add ${gateway}/30 dev ${device}`,
      `link set ${device} up`,
    ];
    await this.run(["ip", "-batch", "-"], outside.join("\n"));
    // It may send to what is offered at 127.0.0.1, which its rules allow or not.
    await writeFile(`/proc/sys/net/ipv4/conf/${device}/route_localnet`, "1");
    const inside = [
      `link set lo up`,
      `addr add ${address}/30 dev ${INSIDE}`,
      `link set ${INSIDE} up`,
      `route add default via ${gateway}`,
    ];
    await this.run(["ip", "-n", namespace, "-batch", "-"], inside.join("\n"));
    const settle = `echo 1 >/proc/sys/net/ipv4/conf/${INSIDE}/route_localnet && exec nft -f -`;
    const enter = ["nsenter", `--net=${join(NAMESPACES, namespace)}`, "--", "/bin/sh", "-c", settle] as const;
    await this.run(enter, insideRules({ device: INSIDE }));
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

  private get table(): string {
    return `sluice_${this.mark}`;
  }

  private prefix(kind: "instance" | "task"): string {
    return `s${kind === "instance" ? "i" : "t"}${this.mark}`;
  }

  private rules(servers: readonly string[]): string {
    const { offered, allowed } = this.options;
    return firewallRules({
      ...{ table: this.table, offered, allowed, nameservers: servers },
      instances: this.prefix("instance"),
      tasks: this.prefix("task"),
    });
  }

  private get env(): Record<string, string> {
    return { PATH: this.options.path };
  }

  private async run(argv: readonly [string, ...string[]], input?: string): Promise<void> {
    const options = input === undefined ? {} : { input: Readable.from([input]) };
    const { exit, stderr } = await captureCommand({ argv, env: this.env }, options);
    if (exit.status !== 0)
      throw new Error(`${argv.slice(0, 3).join(" ")}: ${stderr.trim().split("\n")[0] ?? ""}`);
  }
}

/** Names of devices are short (IFNAMSIZ). */
function markOf(owner: string): string {
  return ownerMark(owner).slice(0, 6);
}

function asNetwork({ namespace, address }: NetworkPlan): Network {
  return { namespace: join(NAMESPACES, namespace), address };
}

/** Of resolv.conf(5); one at 127.0.0.1 cannot be reached from another network. */
async function nameservers(): Promise<string[]> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, server = ""]) => server).filter(isIPv4);
}
