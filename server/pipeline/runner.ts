import { AppError, toAppError } from "../../core/app-error.js";
import { abortReason } from "../../core/clock.js";
import { releaseName } from "../../core/names.js";
import { hasReached, type Phase } from "../../core/records/phase.js";
import type { ReleaseWork, Step } from "./step.js";

/**
 * Takes a release through the steps whose phase it has not reached yet, up to `goal`, saving each. When a step before
 * `live` fails, the steps are undone, last first, and the release is what it was before: `failed`, or kept for later.
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
      await undoSteps(work, steps, toAppError(error));
      throw error;
    }
  }
}

/** Takes back all that the steps did, whichever of them ran. Safe to repeat. */
export async function undoSteps(work: ReleaseWork, steps: readonly Step[], error: AppError): Promise<void> {
  for (const step of steps.toReversed()) {
    try {
      await step.undo?.(work);
    } catch (problem) {
      work.tools.log.error(
        { err: problem, step: step.name, app: work.app.name, release: releaseName(work.record.number) },
        "a step was not undone",
      );
    }
  }
  const { code, message, hint } = error;
  const before: Phase = work.record.order === "rollback" ? "retired" : "failed";
  work.record = await work.tools.releases.advance(work.record, before, {
    instances: [],
    error: { code, message, hint },
  });
}

async function runStep(work: ReleaseWork, step: Step, signal: AbortSignal): Promise<void> {
  const timeoutMs = step.timeoutMs(work.tools.settings);
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new AppError("step-timeout", { step: step.name, seconds: timeoutMs / 1000 })),
    timeoutMs,
  );
  const stop = AbortSignal.any([signal, deadline.signal]);
  const began = performance.now();
  try {
    if (stop.aborted) throw abortReason(stop);
    const patch = await step.run(work, stop);
    if (work.record.phase !== step.reaches || patch !== undefined) {
      work.record = await work.tools.releases.advance(work.record, step.reaches, patch);
    }
  } finally {
    clearTimeout(timer);
  }
  const fields = {
    app: work.app.name,
    release: releaseName(work.record.number),
    step: step.name,
    ms: Math.round(performance.now() - began),
  };
  work.tools.log.info(fields, "step");
}
