import { abortReason, type Clock } from "../clock.js";
import type { JobQueue, TakenJob } from "./job-queue.js";

/** Sends one payload. It must end soon after the signal aborts; what it throws says when to try again (`DeliveryError`). */
export type Handler = (payload: unknown, signal: AbortSignal) => Promise<void>;

export interface AttemptOptions {
  readonly queue: Pick<JobQueue, "renew">;
  readonly handler: Handler;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** When the lease runs out, if it is not renewed; ms since 1970. */
  readonly leaseUntil: number;
  readonly leaseMs: number;
  /** Breaks it off. */
  readonly ended: AbortSignal;
}

/** One try to send a job: its lease is renewed meanwhile; it is broken off at the deadline, or when the lease is lost. */
export async function attempt(taken: TakenJob, options: AttemptOptions): Promise<void> {
  const { handler, clock, deadlineMs, ended } = options;
  const cut = new AbortController();
  const over = new AbortController();
  const end = (): void => cut.abort(abortReason(ended));
  ended.addEventListener("abort", end, { once: true });
  const wasCut = new Promise<never>((_resolve, reject) => {
    cut.signal.addEventListener("abort", () => reject(abortReason(cut.signal)), { once: true });
  });
  void deadline(clock, deadlineMs, over.signal, cut);
  void keepLease(taken, options, over.signal, cut);
  try {
    await Promise.race([handler(taken.job.payload, cut.signal), wasCut]);
  } finally {
    ended.removeEventListener("abort", end);
    over.abort();
  }
}

async function deadline(
  clock: Clock,
  deadlineMs: number,
  over: AbortSignal,
  cut: AbortController,
): Promise<void> {
  await clock.sleep(deadlineMs, over).then(
    () => cut.abort(new Error(`it took longer than ${deadlineMs / 1000} s`)),
    () => undefined,
  );
}

/** With Redis away it is ours until the lease has run out. */
async function keepLease(
  taken: TakenJob,
  { queue, clock, leaseUntil, leaseMs }: AttemptOptions,
  over: AbortSignal,
  cut: AbortController,
): Promise<void> {
  const renewMs = leaseMs / 3;
  let until = leaseUntil;
  for (;;) {
    await clock.sleep(renewMs, over).catch(() => undefined);
    if (over.aborted) return;
    const next = clock.now() + leaseMs;
    const isOurs = await queue.renew(taken, next).catch(() => undefined);
    if (isOurs) until = next;
    if (isOurs === false || clock.now() + renewMs > until) {
      cut.abort(new Error("the lease was lost"));
      return;
    }
  }
}
