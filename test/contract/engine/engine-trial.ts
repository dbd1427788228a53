import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  Engine,
  InstanceLimits,
  InstanceSpec,
  InstanceState,
  PlacedArtifact,
} from "../../../server/engines/engine.js";
import type { InstanceLogs } from "../../../server/engines/instance-logs.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { freeRange, type PortRange } from "../../support/network/free-range.js";
import { isAlive, type HttpAnswer } from "../../support/running/test-sluice.js";
import { TINY_SERVER } from "../../support/git/tiny-app.js";

/** An engine, and what ends it. */
export interface EngineBench {
  readonly engine: Engine;
  readonly logs: InstanceLogs;
  /** Another engine that keeps the same instances, as a server has one that comes back after a crash. */
  again(): Promise<Engine>;
  /** Ends and removes whatever is still kept. */
  dispose(): Promise<void>;
  /** What the tiny web server in a folder is run from; undefined: that folder. */
  readonly artifact?: PlacedArtifact;
  /** The others of hosts that are not this machine. */
  readonly processes?: Processes;
}

/** The first processes of instances, each known by its instance's state. */
export interface Processes {
  kill(state: InstanceState): Promise<void>;
  isAlive(state: InstanceState): Promise<boolean>;
}

/** How engines differ, as far as a test has to know. */
export interface EngineTraits {
  /** Instances listen on this machine's own ports, of which there are so many. */
  readonly sharesPorts: boolean;
  /** Instances see this machine's files, and may listen at its sockets. */
  readonly sharesFiles: boolean;
  /** An instance that ended comes back where it was. */
  readonly keepsAddresses: boolean;
  /** One that keeps ending is started again after longer and longer pauses. */
  readonly pausesGrow: boolean;
  /** The kernel ends processes that need more memory than the limit, and says so. */
  readonly countsMemory: boolean;
  /** PORT of every instance, where it is not the port at which others reach it. */
  readonly portInside?: string;
}

const OF_THIS_MACHINE: EngineTraits = {
  ...{ sharesPorts: true, sharesFiles: true },
  ...{ keepsAddresses: true, pausesGrow: true, countsMemory: false },
};

/** `folder` is empty, and any user may pass through it; `ports` are for the instances. */
export type MakeEngine = (folder: string, ports: PortRange) => Promise<EngineBench>;

export const LIMITS: InstanceLimits = { memoryMegabytes: 1024, processes: 200, scratchMegabytes: 16 };

/** One test of the contract: an engine in a temporary folder, and instances to give it. */
export class EngineTrial {
  folder = "";
  ports: PortRange = { first: 0, last: 0 };
  private readonly benches: EngineBench[] = [];
  private readonly clearing: Promise<void>[] = [];

  readonly traits: EngineTraits;

  constructor(
    private readonly makeEngine: MakeEngine,
    traits: Partial<EngineTraits> = {},
  ) {
    this.traits = { ...OF_THIS_MACHINE, ...traits };
  }

  async begin(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), "sluice-engine-"));
    await chmod(this.folder, 0o711);
    await mkdir(this.path("tree"));
    await writeFile(this.path("tree", "server.js"), TINY_SERVER);
    await this.useRange(await freeRange(20));
  }

  /** Exchanges the engine for one with other ports. */
  async useRange(ports: PortRange): Promise<void> {
    const folder = this.path(`engine-${ports.first}`);
    await mkdir(folder, { mode: 0o711 });
    this.ports = ports;
    this.benches.push(await this.makeEngine(folder, ports));
  }

  /** The clearing away goes on beside the next test. */
  end(): void {
    const { folder } = this;
    const benches = this.benches.splice(0);
    const cleared = Promise.all(benches.map(async (bench) => bench.dispose()));
    this.clearing.push(cleared.then(async () => rm(folder, { recursive: true, force: true })));
  }

  async cleared(): Promise<void> {
    await Promise.all(this.clearing);
  }

  get engine(): Engine {
    return this.bench.engine;
  }

  get logs(): InstanceLogs {
    return this.bench.logs;
  }

  /** Starts an instance. Returns where it is, once it has its address. */
  async start(spec: InstanceSpec, engine = this.engine): Promise<{ address: string | undefined }> {
    await engine.start(spec);
    if (spec.listen === "nothing") return { address: undefined };
    const address = await eventually(
      `${spec.id} has an address`,
      async () => (await engine.state(spec.id))?.address,
    );
    return { address };
  }

  async engineAgain(): Promise<Engine> {
    return this.bench.again();
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** A folder that every user may write to. */
  async openFolder(name: string): Promise<string> {
    await mkdir(this.path(name));
    await chmod(this.path(name), 0o777);
    return this.path(name);
  }

  /** The tiny web server. */
  web(changes: Partial<InstanceSpec> = {}): InstanceSpec {
    return {
      id: "shop.v1.web.1",
      app: "shop",
      command: "node server.js",
      artifact: this.bench.artifact ?? { kind: "tree", folder: this.path("tree"), at: this.path("tree") },
      env: { PATH: process.env["PATH"] ?? "", RELEASE: "v1", DYNO: "web.1", TRIAL: this.folder },
      limits: LIMITS,
      listen: "port",
      ...changes,
    };
  }

  /** A few shell lines that serve nobody. */
  worker(command: string, changes: Partial<InstanceSpec> = {}): InstanceSpec {
    return this.web({ id: "shop.v1.worker.1", command, listen: "nothing", ...changes });
  }

  /** Its state, once it is one that `isSo`. */
  async reaches(id: string, what: string, isSo: (state: InstanceState) => boolean): Promise<InstanceState> {
    return eventually(`${id} ${what}`, async () => {
      const state = await this.engine.state(id);
      return state !== undefined && isSo(state) ? state : undefined;
    });
  }

  async logOf(id: string, lines = 10_000): Promise<string[]> {
    const texts: string[] = [];
    const signal = new AbortController().signal;
    for await (const { text } of this.logs.read(id, { lines, follow: false, signal })) texts.push(text);
    return texts;
  }

  /** The rest of the first line of its log that begins with `word`, once there is one. */
  async said(id: string, word: string): Promise<string> {
    return eventually(`${id} says ${word}`, async () => {
      const line = (await this.logOf(id)).find((text) => text.startsWith(word));
      return line?.slice(word.length).trim();
    });
  }

  /** The process of this machine that an instance of this trial knows by that number: it may count its own ones. */
  async processOf(known: string): Promise<number> {
    return eventually(`the process that is ${known} inside`, async () => {
      for (const pid of await readdir("/proc")) {
        const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
        const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
        const isKnown = new RegExp(`^NSpid:.*\\t${known}$`, "m").test(status);
        if (isKnown && environment.split("\0").includes(`TRIAL=${this.folder}`)) return Number(pid);
      }
      return undefined;
    });
  }

  /** KILL, by somebody else than the engine. */
  async kill(state: InstanceState): Promise<void> {
    if (this.bench.processes !== undefined) return this.bench.processes.kill(state);
    process.kill(state.pid ?? 0, "SIGKILL");
  }

  /** Whether an instance's first process is there. */
  async isAlive(state: InstanceState): Promise<boolean> {
    return this.bench.processes?.isAlive(state) ?? isAlive(state.pid ?? 0);
  }

  /** What an instance at that address was told as its PORT. */
  portOf(address: string | undefined): string | undefined {
    return this.traits.portInside ?? address?.split(":")[1];
  }

  /** mocha's `it` for engines with that trait; of others nothing is expected there. */
  itIf(
    trait: "sharesFiles" | "keepsAddresses" | "pausesGrow" | "countsMemory",
  ): (title: string, test: Mocha.AsyncFunc) => void {
    return (title, test) => {
      if (this.traits[trait]) it(title, test);
    };
  }

  private get bench(): EngineBench {
    const bench = this.benches.at(-1);
    if (bench === undefined) throw new Error("the trial has not begun");
    return bench;
  }
}

/** The answer of an instance, once it listens. */
export async function answerAt(address: string | undefined, path = "/"): Promise<HttpAnswer> {
  return eventually(`an answer from ${address ?? "nowhere"}`, async () => ask(address, { path }));
}
