import { chmod, chown, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { removeTree } from "../../../core/files/remove-tree.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import type { Home } from "../../../core/home.js";
import { formatAddress, parseAddress, type Address } from "../../../core/instances/address.js";
import { parseInstanceId } from "../../../core/instances/instance-id.js";
import { endService, isSupervised, serviceState, supervise } from "../../../core/exec/runsv.js";
import type { Engine, InstanceSpec, InstanceState } from "../engine.js";
import { describeExit } from "../../../core/exec/exec.js";
import { exitOf } from "../../../core/exec/sandbox/exit-of.js";
import type { SandboxPolicy } from "../../../core/exec/sandbox/sandbox-policy.js";
import type { Sandbox } from "../../../core/exec/sandbox/sandbox.js";
import { FreePorts } from "./free-port.js";
import { listeningAddresses } from "./listening.js";
import { openLimiter, type Limiter } from "./limits/limiter.js";
import type { Network, Networks } from "./network/networks.js";
import { logConfiguration, serviceFiles } from "./service-folder.js";

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

/** What stands beside a service's scripts, so that it can be found again. */
const recordSchema = z.object({
  address: z.string().optional(),
  /** Of the scripts. Earlier versions wrote none, and ran it without a sandbox. */
  version: z.number().optional(),
});
const VERSION = 1;
type InstanceRecord = Readonly<z.infer<typeof recordSchema>>;
const RECORD = "instance.json";
const SOCKET = "s";
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
    const limits = await this.limiter.prepare(spec.id, spec.limits);
    const record = await readRecord(folder);
    const isRunning = record !== undefined && (await isSupervised(folder));
    // What an earlier version started runs on as it is, until it has ended.
    const network = isRunning && record.version !== VERSION ? undefined : await this.networkOf(spec.id);
    if (!isRunning && !isCurrent(record, network)) {
      const address = await this.addressFor(spec, network, addressIn(record));
      const made = { address: address && formatAddress(address), version: VERSION };
      await this.writeFolder(spec, folder, { record: made, limits, network });
    }
    await supervise(folder, { PATH: this.options.path });
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    const folder = this.options.home.service(id);
    const address = await addressOf(this.options.home, id);
    await endService(folder, graceSeconds * 1000);
    await this.limiter.remove(id);
    await this.options.networks?.remove(id);
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

  /** An instance stays where it was started. */
  async *moves(): AsyncGenerator<InstanceState> {}

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
        return { kind: "socket", path: await this.socketPath(spec) };
      case "nothing":
        return undefined;
    }
  }

  /** In a folder that this instance alone finds in its sandbox. */
  private async socketPath({ id, app, user }: InstanceSpec): Promise<string> {
    const ofApp = this.options.home.sockets(app);
    const folder = join(ofApp, id.split(".").slice(1).join("."));
    await mkdir(folder, { recursive: true });
    if (user !== undefined) {
      const group = this.options.socketGroup ?? 0;
      // The way there is the proxy's and ours.
      for (const above of [dirname(ofApp), ofApp]) {
        await chown(above, 0, group);
        await chmod(above, 0o710);
      }
      // Sticky, and not the app's: neither we nor the proxy follow a link that it puts there (proc(5), protected_symlinks).
      // The proxy's group is handed down to the socket (setgid).
      await chown(folder, 0, group);
      await chmod(folder, 0o3777);
    }
    return join(folder, SOCKET);
  }

  private policyOf(
    { id, app, artifact, limits, user }: InstanceSpec,
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
    spec: InstanceSpec,
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

/** Earlier versions had the sockets of an app in one folder. */
async function removeSocket(path: string): Promise<void> {
  if (basename(path) === SOCKET) await removeTree(dirname(path));
  else await rm(path, { force: true });
}

function expectedPort(address: Address | undefined): number | undefined {
  return address?.kind === "port" ? address.port : undefined;
}

function isCurrent(record: InstanceRecord | undefined, network: Network | undefined): boolean {
  if (record?.version !== VERSION) return false;
  const address = addressIn(record);
  return address?.kind !== "port" || address.host === (network?.address ?? MACHINE);
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

async function addressOf(home: Home, id: string): Promise<Address | undefined> {
  return addressIn(await readRecord(home.service(id)));
}

function addressIn(record: InstanceRecord | undefined): Address | undefined {
  return record?.address === undefined ? undefined : parseAddress(record.address);
}

async function readRecord(folder: string): Promise<InstanceRecord | undefined> {
  const text = await readFile(join(folder, RECORD), "utf8").catch(() => undefined);
  return text === undefined ? undefined : recordSchema.parse(JSON.parse(text));
}

/** `COUNT STATUS SIGNAL [memory]`, as the finish script writes it. */
function parseEnd(text: string): { ends: number; lastEnd: string | undefined } {
  const [ends = "", status = "", signal = "", why] = text.trim().split(" ");
  if (ends === "") return { ends: 0, lastEnd: undefined };
  const how = describeExit(exitOf(status === "-1" ? 128 + Number(signal) : Number(status)));
  return { ends: Number(ends), lastEnd: why === "memory" ? `${how}, out of memory` : how };
}
