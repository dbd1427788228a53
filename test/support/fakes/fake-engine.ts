import { rm } from "node:fs/promises";
import type { Engine, InstanceSpec, InstanceState } from "../../../server/engines/engine.js";
import type { InstanceLogs, LogLine, LogOptions } from "../../../server/engines/instance-logs.js";
import { FreePorts } from "../../../server/engines/runit/free-port.js";
import { listeningAddresses } from "../../../server/engines/runit/listening.js";
import { fakeAddress } from "./fake-address.js";
import { FakeInstance } from "./fake-instance.js";
import { FakeLog } from "./fake-log.js";
import type { PortRange } from "../network/free-range.js";

/** What outlives an engine, as `runsv` does: instances and logs. Sockets lie in `folder`. */
export class FakeMachine {
  readonly instances = new Map<string, FakeInstance>();
  readonly logs = new Map<string, FakeLog>();

  constructor(readonly folder: string) {}

  logOf(id: string): FakeLog {
    const log = this.logs.get(id) ?? new FakeLog();
    this.logs.set(id, log);
    return log;
  }
}

export class FakeLogs implements InstanceLogs {
  constructor(private readonly machine: FakeMachine) {}

  read(id: string, options: LogOptions): AsyncIterable<LogLine> {
    return this.machine.logOf(id).read(options);
  }

  async forget(prefix: string): Promise<void> {
    for (const name of this.machine.logs.keys())
      if ((name === prefix || name.startsWith(`${prefix}.`)) && !this.machine.instances.has(name))
        this.machine.logs.delete(name);
  }
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

  async start(spec: InstanceSpec): Promise<void> {
    if (this.machine.instances.has(spec.id)) return;
    const address = await fakeAddress(spec, this.freePorts, this.machine.folder);
    this.machine.instances.set(spec.id, new FakeInstance(spec, address, this.machine.logOf(spec.id)));
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    const instance = this.machine.instances.get(id);
    if (instance === undefined) return;
    await instance.stop(graceSeconds * 1000);
    this.machine.instances.delete(id);
    for (const port of portOf(instance)) this.freePorts.give(port);
    const { address } = instance;
    if (address?.kind === "socket") await rm(address.path, { force: true });
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

  async crowded(): Promise<string[]> {
    return Promise.resolve([]);
  }

  async *moves(): AsyncGenerator<InstanceState> {}
}

function portOf({ address }: FakeInstance): number[] {
  return address?.kind === "port" ? [address.port] : [];
}
