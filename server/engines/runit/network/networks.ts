import { randomBytes, randomInt } from "node:crypto";
import { mkdir, readdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Mount } from "../../../../core/exec/sandbox/sandbox-policy.js";
import { systemClock } from "../../../../core/clock.js";
import { silentLog } from "../../../../core/log.js";
import { Firewall, type FirewallOptions } from "./firewall.js";
import { Namespaces } from "./namespaces.js";
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

const MOST_TRIES = 50;
const SPARE_DELAY_MS = 1000;

type Kind = "instance" | "task";

interface Spare {
  /** Of its note. No id of an instance or a task: those have dots. */
  readonly name: string;
  isReady: boolean;
}

/**
 * A network for each sandbox (network_namespaces(7)): nobody else listens in it, it reaches the internet and what is offered
 * to it, and only this machine reaches it. Needs root.
 */
export class Networks {
  private readonly removals = new Map<string, Promise<void>>();
  private readonly names: NetworkNames;
  private readonly namespaces: Namespaces;
  /** Made ahead, since that takes longer than to start a program. */
  private readonly spares = new Map<Kind, Spare>();
  private readonly background = new Set<Promise<unknown>>();
  private readonly stopping = new AbortController();

  private constructor(
    private readonly options: Pick<NetworksOptions, "folder" | "owner" | "path" | "log">,
    private readonly mounts: readonly Mount[],
    private readonly firewall?: Firewall,
  ) {
    this.namespaces = new Namespaces(new NetworkTools(options.path));
    this.names = networkNames(options.owner);
  }

  /** Sets the rules, in place of earlier ones, and keeps them until it is stopped. Throws what nft(8) or ip(8) says. */
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
    this.stopping.abort();
    while (this.background.size > 0) await Promise.all(this.background);
    await this.firewall?.stop();
  }

  /** Removes the rules and every network of a state folder, if there are any. */
  static async removeAll(of: Pick<NetworksOptions, "folder" | "owner" | "path">): Promise<void> {
    if ((await readdir(of.folder).catch(() => undefined)) === undefined) return;
    await new Networks({ ...of, log: silentLog }, []).keepOnly(new Set());
    await Firewall.remove(of);
    await rm(of.folder, { recursive: true, force: true });
  }

  /** The network of an instance or a task. */
  async ensure(id: string, kind: Kind): Promise<Network> {
    const kept = await this.read(id);
    const plan = kept && networkPlan(kept.slot, this.devices(kind));
    if (plan && (await this.namespaces.has(plan))) return this.asNetwork(plan);
    const spare = plan === undefined ? this.takeSpare(kind) : undefined;
    if (spare === undefined) return this.make(id, kind, { kept: kept?.slot });
    await rename(this.note(spare), this.note(id));
    return this.ensure(id, kind);
  }

  /** Can be asked twice at once. */
  async remove(id: string): Promise<void> {
    const removal = (this.removals.get(id) ?? this.take(id)).finally(() => this.removals.delete(id));
    this.removals.set(id, removal);
    await removal;
  }

  /** Does not wait for it. */
  discard(id: string): void {
    this.inBackground(async () => this.remove(id), "could not remove a network");
  }

  /** Removes those that are nobody's. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    const spares = [...this.spares.values()].map(({ name }) => name);
    for (const id of await readdir(this.options.folder))
      if (!ids.has(id) && !spares.includes(id)) await this.remove(id);
  }

  private async take(id: string): Promise<void> {
    const note = await this.read(id);
    if (note !== undefined) await this.namespaces.remove(networkPlan(note.slot, this.devices(note.kind)));
    await rm(this.note(id), { force: true });
  }

  private async make(
    id: string,
    kind: Kind,
    { kept, isAwaited = true }: { kept?: number | undefined; isAwaited?: boolean },
  ): Promise<Network> {
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const slot = attempt === 0 && kept !== undefined ? kept : randomInt(1, SLOTS);
      const plan = networkPlan(slot, this.devices(kind));
      // Noted before it is made: what a crash leaves half made is found again.
      await writeFile(this.note(id), JSON.stringify({ slot, kind }));
      if (await this.namespaces.make(plan, this.note(id), isAwaited)) return this.asNetwork(plan);
    }
    throw new Error("no network is free");
  }

  /** Undefined while there is none. The next one is made when its user has started. */
  private takeSpare(kind: Kind): string | undefined {
    const found = this.spares.get(kind);
    if (found?.isReady === false) return undefined;
    const spare = { name: `spare-${randomBytes(6).toString("hex")}`, isReady: false };
    this.spares.set(kind, spare);
    this.inBackground(async () => {
      await systemClock.sleep(SPARE_DELAY_MS, this.stopping.signal).catch(() => undefined);
      if (this.stopping.signal.aborted) return;
      await this.make(spare.name, kind, { isAwaited: false }).catch((error: unknown) => {
        this.spares.delete(kind);
        throw error;
      });
      spare.isReady = true;
    }, "could not prepare a network");
    return found?.name;
  }

  private inBackground(work: () => Promise<unknown>, problem: string): void {
    const done = work()
      .catch((error: unknown) => this.options.log.warn({ err: error }, problem))
      .finally(() => this.background.delete(done));
    this.background.add(done);
  }

  private async read(id: string): Promise<{ slot: number; kind: Kind } | undefined> {
    const text = await readFile(this.note(id), "utf8").catch(() => undefined);
    return text === undefined || text === "" ? undefined : (JSON.parse(text) as { slot: number; kind: Kind });
  }

  private note(id: string): string {
    return join(this.options.folder, id);
  }

  private devices(kind: Kind): string {
    return kind === "instance" ? this.names.instances : this.names.tasks;
  }

  private asNetwork(plan: NetworkPlan): Network {
    return { namespace: Namespaces.fileOf(plan), address: plan.address, mounts: this.mounts };
  }
}
