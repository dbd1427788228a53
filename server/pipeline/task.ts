import { describeExit, runCommand, type Command, type Exit } from "../../core/exec.js";
import { releaseName } from "../../core/names.js";
import type { ReleaseWork } from "./step.js";
import { userOf } from "../tools.js";
import { taskEnvironment } from "./environment.js";

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
  const command: Command = {
    argv: ["sh", "-c", task.command],
    cwd: task.cwd,
    env: {
      ...taskEnvironment(work),
      ...task.env,
      ...jobMarker(tools.home.root, app.name, releaseName(record.number)),
    },
    ...(user === undefined ? {} : { user }),
  };
  const exit: Exit = await out.alive(
    task.command,
    runCommand(command, { signal, onLine: (line) => out.line(line) }),
  );
  return exit.status === 0 ? undefined : describeExit(exit);
}

/** By this variable a server that was killed finds what it left running. */
export function jobMarker(home: string, app: string, release: string): Record<string, string> {
  return { SLUICE_JOB: `${home}:${app}:${release}` };
}
