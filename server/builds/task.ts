import { describeExit } from "../../core/exec/exec.js";
import { releaseName } from "../../core/names.js";
import type { BuildWork } from "./build-work.js";
import { taskEnvironment } from "./task-environment.js";
import { userOf } from "../machine.js";

export interface Task {
  /** A line for `sh -c`. */
  readonly command: string;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command of the app's as the app's user, its output shown live. Returns undefined when it succeeded, else how it ended. */
export async function runTask(
  work: BuildWork,
  { command, cwd, env }: Task,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { out, app, record, tools } = work;
  const user = userOf(app, tools);
  const run = tools.tasks.runOnce(
    {
      app: app.name,
      release: releaseName(record.number),
      artifact: { kind: "tree", folder: cwd },
      command,
      env: { ...taskEnvironment(work), ...env },
      ...(user === undefined ? {} : { user }),
    },
    { signal, onLine: (line) => out.line(line) },
  );
  const exit = await out.alive(command, run);
  return exit.status === 0 ? undefined : describeExit(exit);
}
