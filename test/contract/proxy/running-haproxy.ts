import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { haproxyCommand } from "../../../proxy/haproxy/config/haproxy-command.js";
import type { HaproxyOptions } from "../../../proxy/haproxy/config/haproxy-options.js";
import { paths } from "../../../proxy/haproxy/config/paths.js";
import { prepareFiles } from "../../../proxy/haproxy/config/files.js";
import { Haproxy } from "../../../proxy/haproxy/haproxy.js";
import { Runtime } from "../../../proxy/haproxy/runtime/runtime.js";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import type { RunningProxy } from "./proxy-trial.js";

/** A HAProxy of a test's own, in a temporary folder. */
export class RunningHaproxy implements RunningProxy {
  private readonly runtime: Runtime;
  private child: ChildProcess | undefined;

  readonly proxy: Haproxy;

  private constructor(private readonly options: HaproxyOptions) {
    this.proxy = new Haproxy(options);
    this.runtime = new Runtime(paths.adminSocket(options.folder));
  }

  static async start(more: Partial<HaproxyOptions> = {}): Promise<RunningHaproxy> {
    const folder = await mkdtemp(join(tmpdir(), "haproxy-"));
    const port = await freePort();
    const options = { folder, bind: "127.0.0.1", port, domain: "localhost", openFiles: 4000, ...more };
    await prepareFiles(options);
    const running = new RunningHaproxy(options);
    await running.launch();
    return running;
  }

  get folder(): string {
    return this.options.folder;
  }

  get port(): number {
    return this.options.port;
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true });
  }

  /** Kills all of its processes, and starts it from its files. */
  async restart(): Promise<void> {
    await this.kill();
    await this.launch();
  }

  /** Another driver of it, as a server has one that comes back after a crash. */
  async again(): Promise<Haproxy> {
    return new Haproxy(this.options);
  }

  /** Pid of the process that serves new visitors. */
  async worker(): Promise<string> {
    return /^Pid: (\d+)/m.exec(await this.ask("show info"))?.[1] ?? "";
  }

  /** A command of the runtime API. */
  async ask(command: string): Promise<string> {
    return this.runtime.run(command);
  }

  /** All that it would start with, by file; lines of maps in any order. */
  async files(): Promise<Record<string, string>> {
    const names = (await readdir(this.folder, { recursive: true })).filter((name) =>
      /\.(?:map|cfg)$/.test(name),
    );
    const texts = names.sort().map(async (name) => {
      const lines = (await readFile(join(this.folder, name), "utf8")).split("\n");
      return [name, (name.endsWith(".map") ? lines.sort() : lines).join("\n")] as const;
    });
    return Object.fromEntries(await Promise.all(texts));
  }

  private async launch(): Promise<void> {
    const [program = "", ...args] = haproxyCommand(this.folder);
    this.child = spawn(program, args, { stdio: "ignore", detached: true });
    await eventually("HAProxy answers", async () => (await this.ask("show version")) !== "");
    const master = new Runtime(paths.masterSocket(this.folder));
    await eventually("its master answers", async () => (await master.run("show proc")) !== "");
  }

  private async kill(): Promise<void> {
    const { child } = this;
    if (child?.pid === undefined) return;
    process.kill(-child.pid, "SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}
