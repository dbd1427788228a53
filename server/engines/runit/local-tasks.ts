import { randomBytes } from "node:crypto";
import { eachProcess } from "../../../core/exec/each-process.js";
import { endGroup, runCommand, type Exit } from "../../../core/exec/exec.js";
import { atLowPriority } from "../../../core/exec/low-priority.js";
import type { Home } from "../../../core/home.js";
import type { TaskOptions, Tasks, TaskSpec } from "../tasks.js";
import { endStragglers } from "./stragglers.js";

/** A task finds what it left running by this variable, and a server what an earlier one left. */
const JOB = "SLUICE_JOB";

/** Tasks as processes of this machine. */
export class LocalTasks implements Tasks {
  private readonly root: string;

  constructor({ root }: Pick<Home, "root">) {
    this.root = root;
  }

  async runOnce(task: TaskSpec, options: TaskOptions): Promise<Exit> {
    const { app, release, artifact, command, env, user } = task;
    // Each has its own: gates run side by side.
    const mark = `${this.root}:${app}:${release}:${randomBytes(6).toString("hex")}`;
    const run = runCommand(
      {
        argv: atLowPriority(["sh", "-c", command]),
        cwd: artifact.folder,
        env: { ...env, [JOB]: mark },
        ...(user === undefined ? {} : { user }),
      },
      options,
    );
    return run.finally(() => endStragglers(`${JOB}=${mark}`));
  }

  /** They carry the variable in their environment (proc(5), /proc/PID/environ). */
  async endLeftovers(): Promise<number> {
    const mark = `${JOB}=${this.root}:`;
    const left: number[] = [];
    await eachProcess("environ", (pid, environment) => {
      const isMarked = environment.split("\0").some((variable) => variable.startsWith(mark));
      if (isMarked && pid !== process.pid) left.push(pid);
    });
    for (const pid of left) end(pid);
    return left.length;
  }
}

function end(pid: number): void {
  endGroup(pid, "SIGKILL");
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
