import { join } from "node:path";
import { describeExit, type User } from "../../core/exec/exec.js";
import { releaseName } from "../../core/names.js";
import type { PlacedProgram } from "../engines/engine.js";
import type { TaskSpec } from "../engines/tasks.js";
import { builderOf, userOf } from "../machine.js";
import type { BuildWork } from "./build-work.js";
import { ownFolder } from "./own-folder.js";
import { buildZone } from "./build-zone.js";
import { APP_FOLDER, placedHere } from "./placed-tree.js";
import { DOWNLOADS, releaseEnvironment, taskEnvironment } from "./task-environment.js";

export interface BuildTask {
  /** A line for `sh -c`. */
  readonly command: string;
  /** What it works on, and may change. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Installs, checks or builds, by the app's code, as the app's builder, its output shown live. Returns undefined when it
 * succeeded, else how it ended.
 */
export async function runBuildTask(
  work: BuildWork,
  { command, folder, env }: BuildTask,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { app, record, tools } = work;
  const user = builderOf(app, tools);
  const downloads = join(tools.home.downloads(app.name), buildZone(record));
  await ownFolder(downloads, user);
  const artifact = { kind: "tree" as const, folder, at: APP_FOLDER };
  const spec = { artifact, changes: "kept" as const, command, folders: { [downloads]: DOWNLOADS } };
  return run(work, { ...spec, env: { ...taskEnvironment(work), ...env } }, user, signal);
}

/** Runs a command in an image that was built of the app's Dockerfile, as one of its gates, or as a part of its build. */
export async function runImageTask(
  work: BuildWork,
  { image, command, changes }: ImageTask,
  signal: AbortSignal,
): Promise<string | undefined> {
  const env = { ...releaseEnvironment(work), ...(changes === "lost" ? { NODE_ENV: "test" } : {}) };
  return run(work, { artifact: image, changes, command, env }, undefined, signal);
}

export interface ImageTask {
  readonly image: PlacedProgram;
  readonly command: string;
  readonly changes: TaskSpec["changes"];
}

/** Runs a command of a release that is built, as the app, with what it knows (`env`). What it writes is lost. */
export async function runReleaseTask(
  work: BuildWork,
  { command, env }: { readonly command: string; readonly env: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { app, record, tools } = work;
  const artifact = placedHere(tools.home, record);
  return run(work, { artifact, changes: "lost", command, env }, userOf(app, tools), signal);
}

async function run(
  { out, app, record, tools }: BuildWork,
  task: Pick<TaskSpec, "artifact" | "changes" | "command" | "env" | "folders">,
  user: User | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { taskMemoryMegabytes, taskProcesses, taskScratchMegabytes } = tools.settings.limits;
  const run = tools.tasks.runOnce(
    {
      ...task,
      app: app.name,
      release: releaseName(record.number),
      limits: {
        memoryMegabytes: taskMemoryMegabytes,
        processes: taskProcesses,
        scratchMegabytes: taskScratchMegabytes,
      },
      ...(user === undefined ? {} : { user }),
    },
    { signal, onLine: (line) => out.line(line) },
  );
  const end = await out.alive(task.command, run);
  if (end.exceeded.includes("memory"))
    out.line(
      `It needed more than ${taskMemoryMegabytes} MB of memory (limits.taskMemoryMegabytes in sluice.yml).`,
    );
  if (end.exceeded.includes("processes"))
    out.line(
      `It needed more than ${taskProcesses} processes and threads (limits.taskProcesses in sluice.yml).`,
    );
  return end.status === 0 ? undefined : describeExit(end);
}
