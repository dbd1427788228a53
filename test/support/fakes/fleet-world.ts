import { setImmediate } from "node:timers/promises";
import { pino } from "pino";
import { AppError } from "../../../core/errors/app-error.js";
import type { Clock } from "../../../core/clock.js";
import { FleetHosts } from "../../../core/records/fleet/fleet-hosts.js";
import { FleetLog } from "../../../core/records/fleet/fleet-log.js";
import type { Database } from "../../../core/redis/database.js";
import { SecretBox } from "../../../core/secrets.js";
import { fleetSettingsSchema } from "../../../core/settings/fleet-settings.js";
import type { Droplet, Droplets } from "../../../provisioning/fleet/droplets/droplets.js";
import type { Snapshot, Snapshots } from "../../../provisioning/fleet/droplets/snapshots.js";
import type {
  EngineHost,
  FleetEngine,
  FleetNeeds,
  HostAccess,
  HostReports,
  HostSetup,
} from "../../../provisioning/fleet/fleet-needs.js";

const SETTINGS = {
  address: "10.0.0.1",
  production: { max: 3, region: "fra1" },
  proxy: { region: "fra1" },
  redis: { region: "fra1" },
};

const LATE_MS = 10_000;

/** Thrown at the moment of a server that is killed; nothing that it calls has an effect afterwards. */
class Killed extends Error {}

/** Records that a dead server writes no more. */
class MortalHosts extends FleetHosts {
  constructor(
    redis: Database,
    private readonly isDead: () => boolean,
  ) {
    super(redis);
  }

  override async update(...args: Parameters<FleetHosts["update"]>): ReturnType<FleetHosts["update"]> {
    if (this.isDead()) throw new Killed("this server is dead");
    return super.update(...args);
  }

  override async remove(...args: Parameters<FleetHosts["remove"]>): Promise<void> {
    if (this.isDead()) throw new Killed("this server is dead");
    await super.remove(...args);
  }
}

/** What a fleet's server changes outside of Redis: droplets that cost money, hosts, accounts. It outlives the server. */
export class FleetWorld {
  readonly droplets = new Map<string, Droplet>();
  /** The oldest first. */
  readonly snapshots: Snapshot[] = [];
  snapshotError: Error | undefined;
  /** Ids of droplets that were shut down. */
  readonly off = new Set<number>();
  private snapshotsTaken = 0;
  readonly engineHosts = new Map<string, EngineHost>();
  readonly accesses = new Set<string>();
  /** Host → public half of its key. */
  readonly hostKeys = new Map<string, string>();
  readonly settings = fleetSettingsSchema.parse(SETTINGS);
  /** Calls so far, of all servers. */
  moments = 0;
  /** So many are answered as DigitalOcean does when it has too much to do. */
  unavailable = 0;
  /** The droplet that has the reserved IP. */
  reservedAt: number | undefined;
  /** Host that was left → the droplet that had the reserved IP then. */
  readonly abandoned = new Map<string, number | undefined>();
  /** Hosts whose proxies and monitors do not report. */
  readonly silent = new Set<string>();
  /** Hosts that do not answer over SSH. */
  readonly unreachable = new Set<string>();
  /** What servers have logged as a warning. */
  readonly warnings: string[] = [];
  /** What takes for ever, until whoever waits for it is told to stop; an order is carried out all the same, some time later. */
  hanging: "configure" | "order" | undefined;
  /** How often that was waited for. */
  hung = 0;
  private late: { readonly at: number; readonly make: () => void } | undefined;
  /** Whether hosts join the engine. */
  runsInstances = true;
  configureError: Error | undefined;
  /** What a host says that it is, if it lies. */
  claimedNode: string | undefined;
  private killAt = Infinity;
  private killsAfterEffect = false;
  private generation = 0;
  private time = Date.parse("2026-01-01T00:00:00Z");

  constructor(private readonly redis: Database) {}

  /** The server is killed at its nth call from now on: before that has an effect, or after it, before the answer comes. */
  killAtMoment(nth: number, when: "before" | "after"): void {
    this.killAt = this.moments + nth;
    this.killsAfterEffect = when === "after";
  }

  get wasKilled(): boolean {
    return this.moments > this.killAt;
  }

  /** What a new server has. An earlier one has no effect any more. */
  needs(): FleetNeeds {
    this.generation++;
    const own = this.generation;
    const act = async <T>(effect: () => T | Promise<T>): Promise<T> => {
      await setImmediate();
      if (own !== this.generation) throw new Killed("this server is dead");
      this.moments++;
      const isLast = this.moments === this.killAt + 1;
      if (isLast && !this.killsAfterEffect) this.generation++;
      if (own !== this.generation) throw new Killed("killed");
      const answer = await effect();
      if (isLast) this.generation++;
      if (own !== this.generation) throw new Killed("killed");
      return answer;
    };
    return {
      hosts: new MortalHosts(this.redis, () => own !== this.generation),
      log: new FleetLog(this.redis),
      settings: this.settings,
      settingsFile: "/var/lib/sluice/sluice.yml",
      engine: this.engine(act),
      access: this.access(act),
      reports: this.reports(act),
      setup: this.setup(act),
      droplets: this.dropletsOf(act),
      snapshots: this.snapshotsOf(act),
      release: "0.1.0-aa",
      key: { privateKey: "private", publicKey: "ssh-ed25519 AAAAours" },
      installation: "sluice-1",
      box: new SecretBox(Buffer.alloc(32)),
      clock: this.clock(),
      serverLog: pino({ level: "warn" }, { write: (line) => void this.warnings.push(textOf(line)) }),
    };
  }

  /** Time passes while somebody waits for it, and not otherwise. */
  clock(): Clock {
    return {
      now: () => this.time,
      sleep: async (ms, signal) => {
        await setImmediate();
        signal?.throwIfAborted();
        this.time += Number.isFinite(ms) ? Math.min(ms, 50) : 50;
      },
    };
  }

  /** What was ordered appears when its time has come, whether somebody looks or not. */
  passTime(ms: number): void {
    this.time += ms;
    this.carryOutLate();
  }

  private carryOutLate(): void {
    const { late } = this;
    if (late === undefined || this.time < late.at) return;
    this.late = undefined;
    late.make();
  }

  private dropletsOf(act: Act): Droplets {
    const busy = (): void => {
      if (this.unavailable-- > 0) throw new AppError("engine-unavailable", { reason: "the API answers 500" });
    };
    return {
      quote: async () => act(() => ({ image: "debian-12-x64", monthlyUsd: 12 })),
      order: async ({ name, mark, hostKey }, signal) => {
        const make = (): Droplet => {
          busy();
          const found = this.droplets.get(mark);
          if (found !== undefined) return found;
          const id = Math.max(0, ...[...this.droplets.values()].map((one) => one.id)) + 1;
          const droplet = { id, name, isActive: false, publicAddress: undefined, privateAddress: undefined };
          const made = { ...droplet, tags: [mark], monthlyUsd: 12 };
          this.droplets.set(mark, made);
          this.hostKeys.set(name, hostKey.publicKey);
          return made;
        };
        if (this.hanging === "order") {
          this.late = { at: this.time + LATE_MS, make: () => void make() };
          await untilAborted(signal);
        }
        return act(make);
      },
      holderOf: async () => act(() => this.reservedAt),
      giveAddress: async (_address, droplet) => act(() => void (this.reservedAt = droplet)),
      find: async (mark) =>
        act(() => {
          busy();
          this.carryOutLate();
          const droplet = this.droplets.get(mark);
          if (droplet === undefined) return undefined;
          const [publicAddress, privateAddress] = [`203.0.113.${droplet.id}`, `10.0.0.${10 + droplet.id}`];
          this.droplets.set(mark, { ...droplet, isActive: true, publicAddress, privateAddress });
          return droplet;
        }),
      list: async () => act(() => [...this.droplets.values()]),
      destroy: async ({ id }) =>
        act(() => {
          busy();
          for (const [mark, droplet] of this.droplets) if (droplet.id === id) this.droplets.delete(mark);
        }),
    };
  }

  private snapshotsOf(act: Act): Snapshots {
    return {
      list: async () =>
        act(() => {
          if (this.snapshotError !== undefined) throw this.snapshotError;
          return [...this.snapshots].reverse();
        }),
      shutDown: async (droplet) => act(() => void this.off.add(droplet)),
      take: async ({ droplet, name }) =>
        act(() => {
          if (!this.off.has(droplet)) throw new Error(`${droplet} is on`);
          const known = this.snapshots.find((snapshot) => snapshot.name === name);
          if (known !== undefined) return known;
          const taken: Snapshot = {
            ...{ id: ++this.snapshotsTaken, name, role: "production", regions: ["fra1"] },
            ...{ createdAt: "2026-01-01T00:00:00Z", gigabytes: 2, minDiskGigabytes: 50, monthlyUsd: 0.12 },
          };
          this.snapshots.push(taken);
          return taken;
        }),
      remove: async (id) =>
        act(() => void this.snapshots.splice(0, Infinity, ...this.snapshots.filter((one) => one.id !== id))),
    };
  }

  private setup(act: Act): HostSetup {
    const login = (name: string, known: readonly (string | undefined)[]): void => {
      const key = this.hostKeys.get(name);
      if (key === undefined || !known.includes(key)) throw new Error(`${name} shows a key that is not known`);
    };
    return {
      meet: async ({ address }) =>
        act(() => {
          const hostname = `host-${String(address).split(".").at(-1)}`;
          const hostKey = `key of ${hostname}`;
          this.hostKeys.set(hostname, hostKey);
          return { hostname, machineId: `machine of ${String(address)}`, hostKey };
        }),
      configure: async ({ name, hostKey, nextHostKey, privateAddress, machineId }, { signal }) => {
        if (this.hanging === "configure") {
          this.hung++;
          await untilAborted(signal);
        }
        return act(() => {
          if (this.configureError !== undefined) throw this.configureError;
          login(name, [hostKey, nextHostKey]);
          const node = this.runsInstances ? (this.claimedNode ?? `node of ${name}`) : undefined;
          if (node !== undefined && !this.engineHosts.has(node))
            this.engineHosts.set(node, {
              id: node,
              address: privateAddress ?? "10.0.0.99",
              roles: [],
              isServer: false,
              state: "ready",
              draining: false,
              instances: ["a.v1.web.1"],
            });
          return {
            hostKey,
            machineId: machineId ?? `machine of ${name}`,
            node,
            privateAddress: privateAddress ?? "10.0.0.99",
            version: "1",
          };
        });
      },
      answers: async ({ name }) => act(() => !this.unreachable.has(name)),
      prepareSnapshot: async ({ name, hostKey }) =>
        act(() => {
          if (this.configureError !== undefined) throw this.configureError;
          login(name, [hostKey]);
          this.hostKeys.delete(name);
          return { version: "0.1.0-aa" };
        }),
      rotateHostKey: async ({ name, hostKey, nextHostKey }, { publicKey }) =>
        act(() => {
          login(name, [hostKey, nextHostKey]);
          this.hostKeys.set(name, publicKey);
        }),
      abandon: async ({ name, node, hostKey }) =>
        act(() => {
          login(name, [hostKey]);
          this.abandoned.set(name, this.reservedAt);
          const host = this.engineHosts.get(node ?? "");
          if (host !== undefined) this.engineHosts.set(host.id, { ...host, state: "down" });
        }),
    };
  }

  private engine(act: Act): FleetEngine {
    return {
      list: async () =>
        act(() => {
          const hosts = [...this.engineHosts.values()];
          // Instances drain one after the other.
          for (const host of hosts)
            if (host.draining) this.engineHosts.set(host.id, { ...host, instances: host.instances.slice(1) });
          return hosts;
        }),
      joinToken: async () => act(() => ({ token: "t", manager: "10.0.0.1:2377" })),
      labelRoles: async () => act(() => undefined),
      setDraining: async (id, draining) =>
        act(() => {
          const host = this.engineHosts.get(id);
          if (host !== undefined) this.engineHosts.set(id, { ...host, draining });
        }),
      remove: async (id) => act(() => void this.engineHosts.delete(id)),
    };
  }

  private access(act: Act): HostAccess {
    return {
      canReplicate: true,
      give: async ({ name }) =>
        act(() => {
          this.accesses.add(name);
          return { url: "rediss://", ca: "", places: undefined, replica: undefined };
        }),
      take: async (host) => act(() => void this.accesses.delete(host)),
      isReplicaInSync: async () => act(() => true),
      noteReplicas: async () => Promise.resolve(),
    };
  }

  private reports(act: Act): HostReports {
    return {
      hasJoined: async () => act(() => true),
      isFollowing: async (host) => act(() => !this.silent.has(host)),
      isReporting: async (host) => act(() => !this.silent.has(host)),
      forget: async () => act(() => undefined),
    };
  }
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new Error("it is told to stop"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
}

function textOf(line: string): string {
  // As pino(1) writes it.
  return (JSON.parse(line) as { msg: string }).msg;
}

type Act = <T>(effect: () => T | Promise<T>) => Promise<T>;
