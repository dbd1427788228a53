import { EventEmitter, on } from "node:events";
import { rm } from "node:fs/promises";
import { AppError } from "../../../core/errors/app-error.js";
import type { Address } from "../../../core/instances/address.js";
import type { Engine, InstanceSpec, InstanceState } from "../../../server/engines/engine.js";
import { FreePorts } from "../../../server/engines/runit/free-port.js";
import { listeningAddresses } from "../../../server/engines/runit/listening.js";
import { fakeAddress } from "./fake-address.js";
import type { FakeMachine } from "./fake-engine.js";
import { FakeInstance } from "./fake-instance.js";
import type { PortRange } from "../network/free-range.js";

const HOSTS = ["host-1", "host-2", "host-3"];

interface Kept {
  readonly spec: InstanceSpec;
  /** Undefined: it has no place yet. */
  host: string | undefined;
  instance: FakeInstance | undefined;
  placing: Promise<void>;
}

/** What outlives the engine, as a Swarm does. */
export class FakeCluster {
  readonly kept = new Map<string, Kept>();
  readonly moves = new EventEmitter();
  readonly lost = new Set<string>();
  isAway = false;
  /** How long it takes to find a place for an instance. */
  placementMs = 150;
}

/**
 * An engine with several hosts, as far as those who use one can see: a start resolves before there is an address, an
 * instance may move, a host may be lost, and the engine may not answer for a while.
 */
export class WanderingEngine implements Engine {
  private readonly freePorts: FreePorts;

  constructor(
    private readonly machine: FakeMachine,
    ports: PortRange,
    private readonly cluster: FakeCluster,
  ) {
    const taken = [...cluster.kept.values()].flatMap(({ instance }) => portOf(instance));
    this.freePorts = new FreePorts(ports, taken);
  }

  async start(spec: InstanceSpec): Promise<void> {
    this.answers();
    if (this.cluster.kept.has(spec.id)) return;
    const kept: Kept = { spec, host: undefined, instance: undefined, placing: Promise.resolve() };
    this.cluster.kept.set(spec.id, kept);
    // Decided now, known later.
    const address = await fakeAddress(spec, this.freePorts, this.machine.folder).catch((error: unknown) => {
      this.cluster.kept.delete(spec.id);
      throw error;
    });
    kept.placing = this.place(kept, address);
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    this.answers();
    const kept = this.cluster.kept.get(id);
    if (kept === undefined) return;
    await kept.placing;
    await kept.instance?.stop(graceSeconds * 1000);
    this.cluster.kept.delete(id);
    this.machine.instances.delete(id);
    for (const port of portOf(kept.instance)) this.freePorts.give(port);
    const address = kept.instance?.address;
    if (address?.kind === "socket") await rm(address.path, { force: true });
  }

  async list(): Promise<InstanceState[]> {
    this.answers();
    return Promise.resolve([...this.cluster.kept.values()].map(stateOf));
  }

  async state(id: string): Promise<InstanceState | undefined> {
    this.answers();
    const kept = this.cluster.kept.get(id);
    return Promise.resolve(kept && stateOf(kept));
  }

  async listening(id: string): Promise<string[]> {
    this.answers();
    const instance = this.cluster.kept.get(id)?.instance;
    const pid = instance?.state().pid;
    return pid === undefined ? [] : listeningAddresses(pid, portOf(instance)[0]);
  }

  async crowded(): Promise<string[]> {
    return Promise.resolve([]);
  }

  async *moves(signal: AbortSignal): AsyncGenerator<InstanceState> {
    this.answers();
    try {
      for await (const [id] of on(this.cluster.moves, "move", { signal })) {
        const kept = this.cluster.kept.get(String(id));
        if (kept !== undefined) yield stateOf(kept);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** The instance ends where it is and begins somewhere else. */
  async move(id: string): Promise<void> {
    const kept = this.cluster.kept.get(id);
    if (kept === undefined) throw new Error(`${id} is not there`);
    await kept.placing;
    const { instance } = kept;
    // A move is no end of its process.
    kept.instance = undefined;
    await instance?.stop(0);
    kept.placing = this.place(kept, await fakeAddress(kept.spec, this.freePorts, this.machine.folder));
    await kept.placing;
    this.cluster.moves.emit("move", id);
  }

  /** Whatever ran on a host is started on the others. Returns those instances' ids. */
  async loseHost(host: string): Promise<string[]> {
    this.cluster.lost.add(host);
    const ids = [...this.cluster.kept.values()]
      .filter((kept) => kept.host === host)
      .map(({ spec }) => spec.id);
    await Promise.all(ids.map(async (id) => this.move(id)));
    return ids;
  }

  private async place(kept: Kept, address: Address | undefined): Promise<void> {
    kept.host = undefined;
    await new Promise((resolve) => setTimeout(resolve, this.cluster.placementMs));
    const hosts = HOSTS.filter((host) => !this.cluster.lost.has(host));
    kept.host = hosts[this.cluster.kept.size % hosts.length];
    const { spec } = kept;
    kept.instance = new FakeInstance(spec, address, this.machine.logOf(spec.id));
    this.machine.instances.set(spec.id, kept.instance);
  }

  private answers(): void {
    if (this.cluster.isAway) throw new AppError("engine-unavailable", { reason: "no manager answers" });
  }
}

function stateOf({ spec, host, instance }: Kept): InstanceState {
  if (instance === undefined)
    return {
      ...{ id: spec.id, host, address: undefined, running: false, pid: undefined, ends: 0 },
      lastEnd: undefined,
    };
  return { ...instance.state(), host };
}

function portOf(instance: FakeInstance | undefined): number[] {
  return instance?.address?.kind === "port" ? [instance.address.port] : [];
}
