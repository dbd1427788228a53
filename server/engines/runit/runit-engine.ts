import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { AppError } from "../../../core/errors/app-error.js";
import type { Home } from "../../../core/home.js";
import { formatAddress, type Address } from "../../../core/instances/address.js";
import { parseInstanceId } from "../../../core/instances/instance-id.js";
import { endService, isSupervised, serviceState, supervise } from "../../../core/exec/runsv.js";
import type { Engine, InstanceSpec, InstanceState } from "../engine.js";
import type { SandboxPolicy } from "../../../core/exec/sandbox/sandbox-policy.js";
import type { Sandbox } from "../../../core/exec/sandbox/sandbox.js";
import { FreePorts } from "./free-port.js";
import {
  addressIn,
  addressOf,
  parseEnd,
  readRecord,
  RECORD,
  RECORD_VERSION,
  type InstanceRecord,
} from "./instance-record.js";
import { prepareSocket, removeSocket } from "./instance-sockets.js";
import { listeningAddresses } from "./listening.js";
import { openLimiter, type Limiter } from "./limits/limiter.js";
import type { Network, Networks } from "./network/networks.js";
import { logConfiguration, serviceFiles, type TreeSpec } from "./service-folder.js";

export interface RunitOptions {
  readonly home: Home;
  readonly ports: { readonly first: number; readonly last: number };
  readonly logBytes: number;
  /** The proxy's group: it must be able to open the instances' sockets. Undefined: the same user runs both. */
  readonly socketGroup?: number;
  /** PATH for `runsv` and its tools. */
  readonly path: string;
  readonly sandbox: Sandbox;
  /** Gives each instance a network of its own; undefined: they share the machine's, and its ports. */
  readonly networks?: Networks | undefined;
}

const MACHINE = "127.0.0.1";
/** PORT in a network of its own. */
const OWN_PORT = 5000;

/** Instances as runit services on this machine, one `runsv` each. */
export class RunitEngine implements Engine {
  private constructor(
    private readonly options: RunitOptions,
    private readonly freePorts: FreePorts,
    private readonly limiter: Limiter,
  ) {}

  /** Finds what an earlier server left running. */
  static async open(options: RunitOptions): Promise<RunitEngine> {
    await mkdir(options.home.services(), { recursive: true, mode: 0o700 });
    const limiter = await openLimiter(options.home.root, "sluice");
    await sweepHalfStarted(options.home, limiter);
    const ids = await serviceIds(options.home);
    await options.networks?.keepOnly(new Set(ids));
    const addresses = await Promise.all(ids.map((id) => addressOf(options.home, id)));
    return new RunitEngine(options, new FreePorts(options.ports, addresses.flatMap(portOf)), limiter);
  }

  async start(spec: InstanceSpec): Promise<void> {
    const folder = this.options.home.service(spec.id);
    if (spec.artifact.kind !== "tree") throw new AppError("engine-unsupported", { what: "An image" });
    try {
      await this.bringUp({ ...spec, artifact: spec.artifact }, folder);
    } catch (error) {
      // Without a record nobody stops it.
      if ((await readRecord(folder)) === undefined) await this.removeSurroundings(spec.id);
      throw error;
    }
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    const folder = this.options.home.service(id);
    const address = await addressOf(this.options.home, id);
    await endService(folder, graceSeconds * 1000);
    await this.removeSurroundings(id);
    if (address?.kind === "socket") await removeSocket(address.path);
    // Last: as long as it is there, a stop that was cut short is done again. A program of a finish script that was just
    // ended may still write in it.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    for (const port of portOf(address)) this.freePorts.give(port);
  }

  async list(): Promise<InstanceState[]> {
    const states = await Promise.all((await serviceIds(this.options.home)).map((id) => this.state(id)));
    return states.filter((state) => state !== undefined);
  }

  async state(id: string): Promise<InstanceState | undefined> {
    const folder = this.options.home.service(id);
    const record = await readRecord(folder);
    if (record === undefined) return undefined;
    const [{ pid }, end, pause] = await Promise.all([
      serviceState(folder),
      readFile(join(folder, "end"), "utf8").catch(() => ""),
      readFile(join(folder, "pausing"), "utf8").catch(() => undefined),
    ]);
    const running = pid !== undefined && pause === undefined;
    return { id, host: hostname(), address: record.address, running, pid, ...parseEnd(end) };
  }

  async listening(id: string): Promise<string[]> {
    const folder = this.options.home.service(id);
    const [{ pid }, record, grouped] = await Promise.all([
      serviceState(folder),
      readRecord(folder),
      this.limiter.processes(id),
    ]);
    return pid === undefined ? [] : listeningAddresses(pid, expectedPort(addressIn(record)), grouped);
  }

  /** There is one host. */
  async crowded(): Promise<string[]> {
    return Promise.resolve([]);
  }

  /** An instance stays where it was started. */
  async *moves(): AsyncGenerator<InstanceState> {}

  private async bringUp(spec: TreeSpec, folder: string): Promise<void> {
    const limits = await this.limiter.prepare(spec.id, spec.limits);
    const record = await readRecord(folder);
    const isRunning = record !== undefined && (await isSupervised(folder));
    // What an earlier version started runs on as it is, until it has ended.
    const network =
      isRunning && record.version !== RECORD_VERSION ? undefined : await this.networkOf(spec.id);
    if (!isRunning && !isCurrent(record, network)) {
      const address = await this.addressFor(spec, network, addressIn(record));
      const made = { address: address && formatAddress(address), version: RECORD_VERSION };
      await this.writeFolder(spec, folder, { record: made, limits, network });
    }
    await supervise(folder, { PATH: this.options.path });
  }

  private async removeSurroundings(id: string): Promise<void> {
    await this.limiter.remove(id);
    await this.options.networks?.remove(id);
  }

  private async networkOf(id: string): Promise<Network | undefined> {
    return this.options.networks?.ensure(id, "instance");
  }

  /** In a network of its own an instance has every port for itself; `before` is what it had in the machine's. */
  private async addressFor(
    spec: InstanceSpec,
    network: Network | undefined,
    before: Address | undefined,
  ): Promise<Address | undefined> {
    switch (spec.listen) {
      case "port":
        if (network !== undefined) return { kind: "port", host: network.address, port: OWN_PORT };
        if (before?.kind === "port" && before.host === MACHINE) return before;
        return { kind: "port", host: MACHINE, port: await this.freePorts.take() };
      case "socket":
        return {
          kind: "socket",
          path: await prepareSocket(spec, this.options.home, this.options.socketGroup),
        };
      case "nothing":
        return undefined;
    }
  }

  private policyOf(
    { id, app, artifact, limits, user }: TreeSpec,
    address: Address | undefined,
    network: Network | undefined,
  ): SandboxPolicy {
    const socket =
      address?.kind === "socket" ? [{ from: dirname(address.path), access: "write" as const }] : [];
    return {
      hostname: app,
      work: { folder: artifact.folder, at: artifact.at, changes: "lost" },
      mounts: [...socket, ...this.limiter.mounts(id), ...(network?.mounts ?? [])],
      scratchMegabytes: limits.scratchMegabytes,
      ...(user === undefined ? {} : { user }),
      ...(network === undefined ? {} : { network: network.namespace }),
    };
  }

  private async writeFolder(
    spec: TreeSpec,
    folder: string,
    { record, limits, network }: Placing,
  ): Promise<void> {
    const logFolder = this.options.home.serviceLog(spec.id);
    await mkdir(logFolder, { recursive: true, mode: 0o700 });
    await writeFileAtomically(join(logFolder, "config"), logConfiguration(this.options.logBytes));
    const files = serviceFiles({
      spec,
      address: addressIn(record),
      logFolder,
      logBytes: this.options.logBytes,
      limits,
      killsFile: this.limiter.killsFile(spec.id),
      shell: this.options.sandbox.command(this.policyOf(spec, addressIn(record), network), ["/bin/sh"], {
        diesWithParent: false,
      }),
    });
    // The record last: a folder without it is a start that was cut short, and is swept away.
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true, mode: 0o700 });
      await writeFileAtomically(join(folder, name), text, 0o700);
    }
    await writeFileAtomically(join(folder, RECORD), JSON.stringify(record));
  }
}

interface Placing {
  readonly record: InstanceRecord;
  /** Shell lines. */
  readonly limits: readonly string[];
  readonly network: Network | undefined;
}

/** Of the machine's ports. */
function portOf(address: Address | undefined): number[] {
  return address?.kind === "port" && address.host === MACHINE ? [address.port] : [];
}

function expectedPort(address: Address | undefined): number | undefined {
  return address?.kind === "port" ? address.port : undefined;
}

/** Sluice's own services (redis, haproxy) are no instances. */
async function serviceIds(home: Home): Promise<string[]> {
  return (await readdir(home.services())).filter((name) => parseInstanceId(name) !== undefined);
}

/** Removes what a start or a stop left that was cut short: folders without a record. */
async function sweepHalfStarted(home: Home, limiter: Limiter): Promise<void> {
  for (const id of await serviceIds(home)) {
    if ((await readRecord(home.service(id))) !== undefined) continue;
    await endService(home.service(id), 0);
    await limiter.remove(id);
    await rm(home.service(id), { recursive: true, force: true });
  }
}

function isCurrent(record: InstanceRecord | undefined, network: Network | undefined): boolean {
  if (record?.version !== RECORD_VERSION) return false;
  const address = addressIn(record);
  return address?.kind !== "port" || address.host === (network?.address ?? MACHINE);
}
