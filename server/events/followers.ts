import { isAppError } from "../../core/errors/app-error.js";
import type { Log } from "../../core/log.js";
import { Ticker } from "../../core/loop/ticker.js";
import type { EventRecord } from "../../core/records/events/event-record.js";
import type { Database } from "../../core/redis/database.js";
import { keys } from "../../core/redis/keys.js";
import { BEGINNING, type EventStream } from "./event-stream.js";

/** Does what follows from an event. It may be called again with the same one: after a crash, or with Redis away. */
export type Follower = (event: EventRecord) => Promise<void>;

export interface FollowersOptions {
  readonly redis: Database;
  readonly stream: Pick<EventStream, "after" | "onNews">;
  readonly log: Log;
}

/** For an event that nobody was woken for. */
const POLL_MS = 30_000;
/** While Redis is away. */
const RETRY_MS = 1000;
const STOP_GRACE_MS = 1000;

/**
 * Who follows the event stream, each by its name and at its own pace: every event, at least once, in order. How far each has
 * come is kept in Redis, so that the next server goes on there. While Redis is away an event waits; one that cannot be
 * handled for another reason is logged and left, as those after it should not wait for ever.
 */
export class Followers {
  private readonly loops: readonly Loop[];

  constructor(options: FollowersOptions, followers: Readonly<Record<string, Follower>>) {
    this.loops = Object.entries(followers).map(([name, follower]) => new Loop(options, name, follower));
  }

  start(): { stop(): Promise<void> } {
    for (const loop of this.loops) loop.start();
    return {
      stop: async () => {
        await Promise.all(this.loops.map(async (loop) => loop.stop()));
      },
    };
  }
}

class Loop {
  private readonly ticker: Ticker;
  private cursor: string | undefined;
  private unlisten = (): void => undefined;
  private isRedisAway = false;

  constructor(
    private readonly options: FollowersOptions,
    private readonly name: string,
    private readonly follower: Follower,
  ) {
    this.ticker = new Ticker({
      everyMs: POLL_MS,
      dueInMs: () => (this.isRedisAway ? RETRY_MS : Infinity),
      job: async (signal) => this.catchUp(signal),
      onError: (error) => this.tellAway(error),
    });
  }

  start(): void {
    this.unlisten = this.options.stream.onNews(() => this.ticker.wake());
    this.ticker.start();
    this.ticker.wake();
  }

  /** What has happened by now is handled first, if Redis answers and it is not too much. */
  async stop(): Promise<void> {
    this.unlisten();
    await this.ticker.stop();
    await this.catchUp(AbortSignal.timeout(STOP_GRACE_MS)).catch(() => undefined);
  }

  private async catchUp(signal: AbortSignal): Promise<void> {
    const { redis, stream } = this.options;
    this.cursor ??= (await redis.hget(keys.eventCursors, this.name)) ?? BEGINNING;
    for (;;) {
      const { events, cursor, size } = await stream.after(this.cursor);
      for (const event of events) {
        if (signal.aborted) return;
        await this.handle(event);
        await this.moveTo(event.id);
      }
      if (size === 0) break;
      if (cursor !== this.cursor) await this.moveTo(cursor);
    }
    this.isRedisAway = false;
  }

  private async handle(event: EventRecord): Promise<void> {
    try {
      await this.follower(event);
    } catch (error) {
      if (isAppError(error, "redis-unavailable")) throw error;
      const { id, type, app } = event;
      this.options.log.error({ err: error, follower: this.name, id, type, app }, "an event was not handled");
    }
  }

  private async moveTo(id: string): Promise<void> {
    await this.options.redis.hset(keys.eventCursors, this.name, id);
    this.cursor = id;
  }

  private tellAway(error: unknown): void {
    if (!this.isRedisAway)
      this.options.log.warn({ err: error, follower: this.name }, "events are not followed yet");
    this.isRedisAway = true;
  }
}
