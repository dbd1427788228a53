import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import type { Database } from "../redis/database.js";
import type { Clock } from "../clock.js";
import type { Log } from "../log.js";
import { JobQueue } from "./job-queue.js";
import type { GivenUpJob } from "./outbox-job.js";
import { OutboxLoop, type Handlers } from "./outbox-loop.js";

export interface OutboxOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Jobs that are worked on at once, each of another lane. */
  readonly atOnce?: number;
  /** How long a try may take. */
  readonly deadlineMs?: number;
  /** Of more the oldest is given up. */
  readonly mostWaiting?: number;
  /** 0 to 1; spreads the pauses between tries. */
  readonly random?: () => number;
}

export interface AddOptions {
  /** A job with the same key that still waits is replaced by this one. */
  readonly key?: string;
  /** Of one lane one job at a time is worked on: name the destination. Seen in logs. If none is named: the kind. */
  readonly lane?: string;
  /** A name for what is said. Where it was added before, in the last week, nothing is: whoever adds may not know any more. */
  readonly once?: string;
}

/**
 * What must be sent to others, kept in Redis until it is delivered: at least once, tried again with growing pauses for a
 * day, then given up with a record of why. Whoever receives may get a thing twice (a process was killed in between).
 */
export class Outbox {
  private readonly queue: JobQueue;
  private readonly options: Required<OutboxOptions>;
  private added = 0;
  private readonly news = new EventEmitter().setMaxListeners(0);

  constructor(
    redis: Database,
    private readonly name: string,
    options: OutboxOptions,
  ) {
    this.queue = new JobQueue(redis, name);
    this.options = { atOnce: 8, deadlineMs: 30_000, mostWaiting: 10_000, random: Math.random, ...options };
  }

  /** `payload` is kept as JSON. Answers the job's id. Throws `redis-unavailable`. */
  async add(kind: string, payload: unknown, { key, lane = kind, once }: AddOptions = {}): Promise<string> {
    const now = this.options.clock.now();
    // Of one lane's jobs of the same millisecond the first comes first.
    const id = `${String(this.added++).padStart(8, "0")}-${randomUUID()}`;
    const job = { v: 1 as const, id, kind, lane, payload, firstAt: now, attempts: 0, dueAt: now };
    await this.queue.add(key === undefined ? job : { ...job, key }, this.options.mostWaiting, once);
    this.news.emit("job");
    return id;
  }

  /** Sends what is due, with the handler of its kind. `stop` lets what is under way end, for a moment; the rest waits for the next start. */
  start(handlers: Handlers): { stop(): Promise<void> } {
    const loop = new OutboxLoop(this.queue, handlers, { ...this.options, name: this.name });
    const look = (): void => loop.look();
    this.news.on("job", look);
    const running = loop.start();
    return {
      stop: async () => {
        this.news.off("job", look);
        await running.stop();
      },
    };
  }

  /** The last hundred that were given up, newest first. Throws `redis-unavailable`. */
  async givenUp(): Promise<GivenUpJob[]> {
    return this.queue.givenUp();
  }

  /** How many are not delivered yet. Throws `redis-unavailable`. */
  async size(): Promise<number> {
    return this.queue.size();
  }
}
