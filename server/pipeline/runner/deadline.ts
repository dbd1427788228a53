import { AppError } from "../../../core/errors/app-error.js";

/** Runs `job` for at most `timeoutMs`; then its signal aborts with `step-timeout`, which names the step. */
export async function withDeadline<T>(
  step: string,
  timeoutMs: number,
  signal: AbortSignal,
  job: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new AppError("step-timeout", { step, seconds: timeoutMs / 1000 })),
    timeoutMs,
  );
  try {
    return await job(AbortSignal.any([signal, deadline.signal]));
  } finally {
    clearTimeout(timer);
  }
}
