import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { addressVariable, formatAddress, type Address } from "../../../core/instances/address.js";
import { describeExit, endGroup } from "../../../core/exec/exec.js";
import { groupEnd } from "../../../core/exec/process-group.js";
import type { InstanceSpec, InstanceState } from "../../../server/engines/engine.js";
import type { FakeLog } from "./fake-log.js";

const FIRST_PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 5000;
const STEADY_MS = 1000;

/** One instance as a child of this process, in a group of its own. */
export class FakeInstance {
  private child: ChildProcess | undefined;
  private next: NodeJS.Timeout | undefined;
  private ends = 0;
  private failures = 0;
  private lastEnd: string | undefined;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly spec: InstanceSpec,
    readonly address: Address | undefined,
    private readonly log: FakeLog,
  ) {
    this.run();
  }

  state(): InstanceState {
    const { spec, address, child, ends, lastEnd } = this;
    return {
      id: spec.id,
      host: hostname(),
      address: address && formatAddress(address),
      ...{ running: child !== undefined, pid: child?.pid, ends, lastEnd },
    };
  }

  async stop(graceMs: number): Promise<void> {
    return (this.stopped ??= this.end(graceMs));
  }

  private run(): void {
    const { command, artifact, env, limits, user } = this.spec;
    if (artifact.kind !== "tree") throw new Error("this machine runs no images");
    if (this.address?.kind === "socket") rmSync(this.address.path, { force: true });
    const place = this.address === undefined ? {} : addressVariable(this.address);
    const script =
      'exec 2>&1; ulimit -d "$0"; cd "$1" || exit 1; unset PWD OLDPWD; umask 002; exec /bin/sh -c "$2"';
    const child = spawn(
      "/bin/sh",
      ["-c", script, String(limits.memoryMegabytes * 1024), artifact.folder, command],
      {
        cwd: "/",
        env: { ...env, ...place },
        detached: true,
        stdio: ["ignore", "pipe", "ignore"],
        ...user,
      },
    );
    const startedAt = Date.now();
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.log.write(text));
    child.once("exit", (status, signal) => {
      this.failures = Date.now() - startedAt < STEADY_MS ? this.failures + 1 : 0;
      this.ends++;
      this.lastEnd = describeExit({ status: status ?? undefined, signal: signal ?? undefined });
      if (this.stopped === undefined) this.runAgain(child);
    });
    this.child = child;
  }

  /** After a pause that triples each time. What is left of the group goes with its leader. */
  private runAgain(ended: ChildProcess): void {
    this.child = undefined;
    endGroup(ended.pid, "SIGKILL");
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 3 ** this.failures);
    this.next = setTimeout(() => this.run(), pauseMs);
  }

  private async end(graceMs: number): Promise<void> {
    clearTimeout(this.next);
    const { child } = this;
    if (child?.pid === undefined) return;
    const killAt = Date.now() + graceMs;
    const lastWords = child.stdout?.closed === true ? undefined : once(child, "close");
    endGroup(child.pid, "SIGTERM");
    await groupEnd(child.pid, killAt);
    await lastWords;
  }
}
