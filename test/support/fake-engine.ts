import { chown, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type {
  Engine,
  InstanceSpec,
  InstanceState,
  LogLine,
  LogOptions,
} from "../../server/engines/engine.js";
import { FreePorts } from "../../server/engines/runit/free-port.js";
import { listeningAddresses } from "../../server/engines/runit/listening.js";
import { FakeInstance } from "./fake-instance.js";
import { FakeLog } from "./fake-log.js";
import type { PortRange } from "./free-range.js";

/** What outlives an engine, as `runsv` does: instances and logs. Sockets lie in `folder`. */
export class FakeMachine {
  readonly instances = new Map<string, FakeInstance>();
  readonly logs = new Map<string, FakeLog>();

  constructor(readonly folder: string) {}
}

/** An engine without runit: instances are children of this process, and quick to be tried again. */
export class FakeEngine implements Engine {
  private readonly freePorts: FreePorts;

  constructor(
    private readonly machine: FakeMachine,
    ports: PortRange,
  ) {
    this.freePorts = new FreePorts(ports, [...machine.instances.values()].flatMap(portOf));
  }

  async start(spec: InstanceSpec): Promise<{ address: string | undefined }> {
    const known = this.machine.instances.get(spec.id);
    if (known !== undefined) return { address: known.address };
    const address = await this.newAddress(spec);
    this.machine.instances.set(spec.id, new FakeInstance(spec, address, this.logOf(spec.id)));
    return { address };
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    const instance = this.machine.instances.get(id);
    if (instance === undefined) return;
    await instance.stop(graceSeconds * 1000);
    this.machine.instances.delete(id);
    for (const port of portOf(instance)) this.freePorts.give(port);
    const { address } = instance;
    if (address?.startsWith("unix@")) await rm(address.slice("unix@".length), { force: true });
  }

  async list(): Promise<InstanceState[]> {
    return [...this.machine.instances.values()].map((instance) => instance.state());
  }

  async state(id: string): Promise<InstanceState | undefined> {
    return this.machine.instances.get(id)?.state();
  }

  async listening(id: string): Promise<string[]> {
    const instance = this.machine.instances.get(id);
    const pid = instance?.state().pid;
    return pid === undefined
      ? []
      : listeningAddresses(pid, instance === undefined ? undefined : portOf(instance)[0]);
  }

  logs(id: string, options: LogOptions): AsyncIterable<LogLine> {
    return this.logOf(id).read(options);
  }

  async forget(id: string): Promise<void> {
    for (const name of this.machine.logs.keys())
      if ((name === id || name.startsWith(`${id}.`)) && !this.machine.instances.has(name))
        this.machine.logs.delete(name);
  }

  private logOf(id: string): FakeLog {
    const log = this.machine.logs.get(id) ?? new FakeLog();
    this.machine.logs.set(id, log);
    return log;
  }

  /** Sockets of one user lie in a folder that is theirs. */
  private async newAddress({ id, listen, user }: InstanceSpec): Promise<string | undefined> {
    if (listen === "nothing") return undefined;
    if (listen === "port") return `127.0.0.1:${await this.freePorts.take()}`;
    const folder = join(this.machine.folder, String(user?.uid ?? "own"));
    await mkdir(folder, { recursive: true });
    if (user !== undefined) await chown(folder, user.uid, user.gid);
    return `unix@${join(folder, `${id}.sock`)}`;
  }
}

function portOf({ address }: FakeInstance): number[] {
  return address?.startsWith("127.0.0.1:") ? [Number(address.split(":")[1])] : [];
}
