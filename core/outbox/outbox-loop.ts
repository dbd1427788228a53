import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.js";
import type { Log } from "../log.js";
import { Ticker } from "../loop/ticker.js";
import { attempt, type Handler } from "./attempt.js";
import type { JobQueue, TakenJob } from "./job-queue.js";
import { outcomeOfFailure } from "./outcome.js";

/** By kind of job. */
export type Handlers = Readonly<Record<string, Handler>>;

export interface LoopOptions {
  /** Of the outbox, for the log. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly atOnce: number;
  readonly deadlineMs: number;
  readonly random: () => number;
}

/** How often it looks for what other processes added. */
const POLL_MS = 1000;
export const LEASE_MS = 15_000;
const STOP_GRACE_MS = 2000;

/** Takes jobs that are due, as many at once as it may, and settles what became of them. */
export class OutboxLoop {
  private readonly works = new Set<Promise<void>>();
  /** What is under way ends now. */
  private readonly ended = new AbortController();
  private isRedisAway = false;
  /** When the next job is due, ms since 1970, as far as this loop knows. */
  private nextAt = Infinity;
  private readonly ticker: Ticker;

  constructor(
    private readonly queue: JobQueue,
    private readonly handlers: Handlers,
    private readonly options: LoopOptions,
  ) {
    const { clock } = options;
    this.ticker = new Ticker({
      everyMs: POLL_MS,
      job: async (signal) => this.takeAll(signal),
      onError: (error) => this.tellRedis(error),
      dueInMs: () => this.nextAt - clock.now(),
      clock,
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    this.look();
    return {
      stop: async () => {
        await this.ticker.stop();
        const isOver = new AbortController();
        const grace = this.options.clock.sleep(STOP_GRACE_MS, isOver.signal).catch(() => undefined);
        await Promise.race([Promise.all(this.works), grace]);
        isOver.abort();
        this.ended.abort(new Error("the server stops"));
        await Promise.all(this.works);
      },
    };
  }

  /** There may be something to do. */
  look(): void {
    this.ticker.wake();
  }

  private async takeAll(signal: AbortSignal): Promise<void> {
    const { clock, atOnce } = this.options;
    this.nextAt = Infinity;
    while (this.works.size < atOnce && !signal.aborted) {
      const now = clock.now();
      const found = await this.queue.take(now, now + LEASE_MS, randomUUID());
      this.tellRedis(undefined);
      if (found.job === undefined) {
        this.nextAt = found.nextAt ?? Infinity;
        return;
      }
      this.begin(found, now + LEASE_MS);
    }
  }

  private begin(taken: TakenJob, leaseUntil: number): void {
    const work = this.work(taken, leaseUntil).finally(() => {
      this.works.delete(work);
      this.look();
    });
    this.works.add(work);
  }

  /** Never rejects. */
  private async work(taken: TakenJob, leaseUntil: number): Promise<void> {
    const { log, name, clock } = this.options;
    const { job } = taken;
    const fields = { outbox: name, kind: job.kind, lane: job.lane, job: job.id };
    try {
      await attempt(taken, {
        ...this.options,
        queue: this.queue,
        handler: this.handlerOf(job.kind),
        leaseUntil,
        leaseMs: LEASE_MS,
        ended: this.ended.signal,
      });
      await this.settle(async () => this.queue.settle(taken, { kind: "done" }));
    } catch (error) {
      // An attempt that we interrupted ourselves does not count.
      const outcome = this.ended.signal.aborted
        ? ({ kind: "again", job } as const)
        : outcomeOfFailure(job, error, clock.now(), this.options.random());
      const reason = error instanceof Error ? error.message : String(error);
      if (outcome.kind === "given-up") log.warn({ ...fields, reason }, "could not deliver, giving up");
      else log.info({ ...fields, reason, attempts: outcome.job.attempts }, "could not deliver yet");
      await this.settle(async () => this.queue.settle(taken, outcome));
    }
  }

  private handlerOf(kind: string): Handler {
    return (
      this.handlers[kind] ??
      (async () => {
        throw new Error(`no handler for ${kind}`);
      })
    );
  }

  /** With Redis away it is told again and again: what was delivered should not be sent twice. */
  private async settle(tell: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await tell();
        return;
      } catch (error) {
        this.tellRedis(error);
        if (this.ended.signal.aborted) return;
        await this.pause(POLL_MS, this.ended.signal);
      }
    }
  }

  private tellRedis(error: unknown): void {
    const isAway = error !== undefined;
    if (isAway && !this.isRedisAway)
      this.options.log.warn({ err: error, outbox: this.options.name }, "the outbox is waiting for Redis");
    this.isRedisAway = isAway;
  }

  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.options.clock.sleep(ms, signal).catch(() => undefined);
  }
}
