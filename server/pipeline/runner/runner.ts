import { AppError, isAppError, toAppError } from "../../../core/errors/app-error.js";
import { abortReason } from "../../../core/clock.js";
import { releaseName } from "../../../core/names.js";
import { hasReached, type Phase } from "../../../core/records/releases/phase.js";
import { withDeadline } from "./deadline.js";
import { makeRoom, unlessDiskIsFull } from "../disk-space.js";
import type { ReleaseWork, Step } from "../step.js";
import { untilRedisAnswers } from "./until-redis-answers.js";

/**
 * Takes a release through the steps whose phase it has not reached yet, up to `goal`, saving each. When a step before
 * `live` fails, the steps are undone, last first, and the release is what it was before: `failed`, or kept for later. When
 * nobody knows whether the switch was made, nothing is undone: throws `release-in-doubt`.
 */
export async function runSteps(
  work: ReleaseWork,
  steps: readonly Step[],
  goal: Phase,
  signal: AbortSignal,
): Promise<void> {
  for (const step of steps) {
    if (hasReached(work.record.phase, step.reaches)) continue;
    if (!hasReached(goal, step.reaches)) return;
    try {
      await runStep(work, step, signal);
    } catch (error) {
      if (hasReached(work.record.phase, "live")) throw error;
      if (work.isSwitchTried) throw inDoubt(work, error);
      const reason = await unlessDiskIsFull(work.tools, toAppError(error));
      if (isAppError(reason, "disk-full"))
        await makeRoom(work.tools, work.app.name).catch((problem: unknown) =>
          work.tools.log.warn({ err: problem, ...fieldsOf(work) }, "could not make room on a full disk"),
        );
      // The pusher must learn why the release failed, not that it cannot be undone now.
      await undoSteps(work, steps, reason).catch((problem: unknown) =>
        work.tools.log.warn({ err: problem, ...fieldsOf(work) }, "could not undo a release yet"),
      );
      throw reason;
    }
  }
}

/**
 * Takes back all that the steps did, whichever of them ran. Safe to repeat, and to be repeated when it throws
 * `redis-unavailable`, `engine-unavailable` or `release-lock-lost`: what could be done without Redis is done then (a full disk has room again, say).
 */
export async function undoSteps(work: ReleaseWork, steps: readonly Step[], error: AppError): Promise<void> {
  let postponed: AppError | undefined;
  for (const step of steps.toReversed()) {
    try {
      await step.undo?.(work);
    } catch (problem) {
      if (isAppError(problem, "redis-unavailable", "release-lock-lost", "engine-unavailable"))
        postponed = problem;
      else
        work.tools.log.error({ err: problem, step: step.name, ...fieldsOf(work) }, "could not undo a step");
    }
  }
  if (postponed !== undefined) throw postponed;
  const { code, message, hint } = error;
  const phase: Phase = work.record.steps === "rollback" ? "retired" : "failed";
  work.record = await work.tools.releases.advance(work.record, phase, {
    instances: [],
    error: { code, message, hint },
  });
}

async function runStep(work: ReleaseWork, step: Step, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  await withDeadline(step.name, step.timeoutMs(work.tools.settings), signal, async (stop) => {
    if (stop.aborted) throw abortReason(stop);
    if (hasReached(step.reaches, "live"))
      await untilRedisAnswers(work, async () => runOnce(work, step, stop), stop);
    else await runOnce(work, step, stop);
  });
  const ms = Math.round(performance.now() - began);
  work.tools.log.info({ ...fieldsOf(work), step: step.name, ms }, "step");
}

async function runOnce(work: ReleaseWork, step: Step, stop: AbortSignal): Promise<void> {
  const patch = await step.run(work, stop);
  if (work.record.phase !== step.reaches || patch !== undefined) {
    work.record = await work.tools.releases.advance(work.record, step.reaches, patch);
  }
}

/** Nobody knows whether the switch that it asked for was made. */
export function inDoubt({ app, record }: ReleaseWork, error: unknown): AppError {
  const release = releaseName(record.number);
  const reason = toAppError(error).message;
  return new AppError("release-in-doubt", { app: app.name, release, reason }, { cause: error });
}

function fieldsOf({ app, record }: ReleaseWork): { app: string; release: string } {
  return { app: app.name, release: releaseName(record.number) };
}
