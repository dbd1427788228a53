import { AppError, toAppError } from "../../core/errors/app-error.js";
import type { Clock } from "../../core/clock.js";
import type { RemoteHost } from "../ssh/remote-host.js";
import type { HostPlan } from "../tasks/host-plan.js";
import type { Task } from "../tasks/task.js";

export interface ConvergeOptions {
  readonly tasks: readonly Task[];
  readonly plan: HostPlan;
  /** `dry-run` changes nothing. */
  readonly mode: "apply" | "dry-run";
  readonly onProgress: (progress: TaskProgress) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export interface TaskProgress {
  readonly task: string;
  readonly state: "ok" | "changing" | "changed" | "would change" | "telling" | "failed";
  /** What was not as it should be, what takes long, or what failed. */
  readonly text: string;
  readonly seconds: number;
}

/** How many tasks there were nothing to do for, and how many were done. */
export interface Recap {
  readonly ok: number;
  readonly changed: number;
  readonly seconds: number;
}

/**
 * Makes a host what its plan says, task by task: look, set, look again. It ends at the first task that fails. A run that was cut
 * short is simply run again. Throws what a task failed with, `host-task-failed` when it is set back at once, `host-task-slow`.
 */
export async function convergeHost(host: RemoteHost, options: ConvergeOptions): Promise<Recap> {
  const { tasks, clock, signal } = options;
  const beganAt = clock.now();
  let [ok, changed] = [0, 0];
  for (const task of tasks) {
    signal.throwIfAborted();
    if (await runTask(host, task, options)) changed++;
    else ok++;
  }
  return { ok, changed, seconds: (clock.now() - beganAt) / 1000 };
}

/** Returns whether there was something to do. */
async function runTask(
  host: RemoteHost,
  task: Task,
  { plan, mode, onProgress, clock, signal }: ConvergeOptions,
): Promise<boolean> {
  const beganAt = clock.now();
  const tell = (state: TaskProgress["state"], text: string): void =>
    onProgress({ task: task.name, state, text, seconds: (clock.now() - beganAt) / 1000 });
  try {
    const wrong = await check(host, task, plan, mode);
    if (wrong.length === 0) {
      tell("ok", "");
      return false;
    }
    if (mode === "dry-run") {
      tell("would change", wrong.join("; "));
      return true;
    }
    tell("changing", wrong.join("; "));
    await within(task, plan, { clock, signal }, async () =>
      task.apply(host, plan, (text) => tell("telling", text)),
    );
    const left = await task.check(host, plan);
    if (left.length > 0) throw new AppError("host-task-failed", { host: plan.name, task: task.name, left });
    tell("changed", wrong.join("; "));
    return true;
  } catch (error) {
    // Who has stopped it knows.
    if (!signal.aborted) tell("failed", toAppError(error).message);
    throw error;
  }
}

async function within(
  { name, deadlineMs }: Task,
  plan: HostPlan,
  { clock, signal }: Pick<ConvergeOptions, "clock" | "signal">,
  work: () => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  const slow = clock.sleep(deadlineMs, AbortSignal.any([signal, done.signal])).then(() => {
    throw new AppError("host-task-slow", { host: plan.name, task: name, seconds: deadlineMs / 1000 });
  });
  try {
    await Promise.race([work(), slow]);
  } finally {
    slow.catch(() => undefined);
    done.abort();
  }
}

/** In a dry run the program that a check needs may be missing, because the task before it was not done. */
async function check(
  host: RemoteHost,
  task: Task,
  plan: HostPlan,
  mode: ConvergeOptions["mode"],
): Promise<string[]> {
  try {
    return await task.check(host, plan);
  } catch (error) {
    const isUnknown = mode === "dry-run" && error instanceof AppError && error.code === "host-command-failed";
    if (!isUnknown) throw error;
    return ["it cannot be looked at before what comes first is there"];
  }
}
