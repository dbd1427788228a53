import { randomBytes } from "node:crypto";
import { atLowPriority } from "../../core/exec/low-priority.js";
import { describeExit, runCommand, type Command, type Exit } from "../../core/exec/exec.js";
import { releaseName } from "../../core/names.js";
import type { ReleaseWork } from "../pipeline/step.js";
import { endStragglers } from "./stragglers.js";
import { userOf } from "../tools.js";
import { taskEnvironment } from "../pipeline/environment.js";

export interface Task {
  /** A line for `sh -c`. */
  readonly command: string;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command of the app's as the app's user, its output shown live. Answers undefined when it went well, else how it ended. */
export async function runTask(
  work: ReleaseWork,
  task: Task,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { out, app, record, tools } = work;
  const user = userOf(app, tools);
  const mark = jobMark(tools.home.root, app.name, releaseName(record.number));
  const command: Command = {
    argv: atLowPriority(["sh", "-c", task.command]),
    cwd: task.cwd,
    env: { ...taskEnvironment(work), ...task.env, [JOB]: mark },
    ...(user === undefined ? {} : { user }),
  };
  const run = runCommand(command, { signal, onLine: (line) => out.line(line) });
  const exit: Exit = await out.alive(task.command, run).finally(() => endStragglers(`${JOB}=${mark}`));
  return exit.status === 0 ? undefined : describeExit(exit);
}

/** By this variable a task finds what it left running, and a server what one that was killed left. */
const JOB = "SLUICE_JOB";

/** Each task has its own: gates run side by side. */
function jobMark(home: string, app: string, release: string): string {
  return `${home}:${app}:${release}:${randomBytes(6).toString("hex")}`;
}
