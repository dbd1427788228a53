import { subscriberOf } from "../redis/connection.js";
import type { Database } from "../redis/database.js";
import { PerKey } from "./per-key.js";
import { Ticker } from "./ticker.js";

export interface RequestLoopOptions {
  readonly redis: Database;
  /** Its messages are the names of what is requested. */
  readonly channel: string;
  readonly pollMs: number;
  /** The names of everything that is requested now. */
  readonly waiting: () => Promise<readonly string[]>;
  /** Does what is requested. The signal aborts when the loop stops. */
  readonly handle: (name: string, signal: AbortSignal) => Promise<void>;
  /** Whether a message that comes while its name is being handled makes it be handled once more. */
  readonly handlesAgain: boolean;
  readonly onError: (error: unknown, name: string) => void;
  readonly onPollError: (error: unknown) => void;
}

/** Handles requests as soon as a channel tells of them, and polls for those it has not heard. One at a time per name. */
export class RequestLoop {
  private readonly subscriber: Database;
  private readonly works: PerKey;
  private readonly poll: Ticker;

  constructor(private readonly options: RequestLoopOptions) {
    const { redis, pollMs, onError, onPollError } = options;
    this.subscriber = subscriberOf(redis);
    this.works = new PerKey({ onError });
    this.poll = new Ticker({ everyMs: pollMs, job: async () => this.look(), onError: onPollError });
  }

  /** Resolves once the channel is subscribed to and a first poll is done. */
  async start(): Promise<void> {
    const { subscriber, works } = this;
    const { channel, handlesAgain } = this.options;
    subscriber.on("error", () => undefined);
    subscriber.on("message", (_channel: string, name: string) => {
      if (handlesAgain) works.run(name, this.jobOf(name));
      else works.runIfIdle(name, this.jobOf(name));
    });
    await subscriber.subscribe(channel);
    await this.poll.startNow();
  }

  /** Waits for what is being handled. */
  async stop(): Promise<void> {
    this.subscriber.disconnect();
    await Promise.all([this.poll.stop(), this.works.stop()]);
  }

  private async look(): Promise<void> {
    for (const name of await this.options.waiting()) this.works.runIfIdle(name, this.jobOf(name));
  }

  private jobOf(name: string): (signal: AbortSignal) => Promise<void> {
    return async (signal) => this.options.handle(name, signal);
  }
}
