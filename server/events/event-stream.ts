import { systemClock } from "../../core/clock.js";
import { parseEvent, type EventRecord } from "../../core/records/events/event-record.js";
import type { Database } from "../../core/redis/database.js";
import { keys } from "../../core/redis/keys.js";

const BLOCK_MS = 2000;
const PAUSE_MS = 200;
const MOST_AT_ONCE = 500;
/** Before every event. */
export const BEGINNING = "0-0";

/** Events from somewhere on, and the place after them. */
export interface EventPage {
  readonly events: readonly EventRecord[];
  /** The id of the last entry, read or not: a later version's is left out. */
  readonly cursor: string;
  /** How many entries there were. */
  readonly size: number;
}

/** The event stream in Redis. Whoever changes something writes it (`ADD_EVENTS`); here it is read, and waited for. */
export class EventStream {
  private readonly connection: Database;
  private readonly stopping = new AbortController();
  private readonly listeners = new Set<() => void>();
  private waiting: Promise<void> = Promise.resolve();

  constructor(private readonly redis: Database) {
    // One that waits for an event can do nothing else meanwhile.
    this.connection = redis.another({ lazyConnect: true });
    this.connection.on("error", () => undefined);
  }

  /** Begins to wait for events. */
  start(): void {
    this.waiting = this.wait();
  }

  /** Who follows the stream ends when this aborts. */
  get stopped(): AbortSignal {
    return this.stopping.signal;
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error("Sluice stops"));
    this.connection.disconnect();
    await this.waiting;
  }

  /** `listener` is called when there are new events. Returns what ends that. */
  onNews(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The next events after an id, oldest first. Throws `redis-unavailable`. */
  async after(id: string): Promise<EventPage> {
    const rows = await this.redis.xrange(keys.events, `(${id}`, "+", "COUNT", MOST_AT_ONCE);
    const events = rows.flatMap(([id, fields]) => parseEvent(id, fields) ?? []);
    return { events, cursor: rows.at(-1)?.[0] ?? id, size: rows.length };
  }

  /** The last `count` events that are wanted, oldest first; and where whoever follows goes on. Throws `redis-unavailable`. */
  async last(count: number, isWanted: (event: EventRecord) => boolean = () => true): Promise<EventPage> {
    const found: EventRecord[] = [];
    const cursor = await this.lastId();
    let before = cursor;
    for (let isMore = true; isMore && found.length < count;) {
      const rows = await this.redis.xrevrange(keys.events, before, "-", "COUNT", MOST_AT_ONCE);
      const events = rows.flatMap(([id, fields]) => parseEvent(id, fields) ?? []);
      found.push(...events.filter(isWanted));
      isMore = rows.length === MOST_AT_ONCE;
      before = `(${rows.at(-1)?.[0] ?? BEGINNING}`;
    }
    const events = found.slice(0, count).reverse();
    return { events, cursor, size: events.length };
  }

  private async lastId(): Promise<string> {
    const [last] = await this.redis.xrevrange(keys.events, "+", "-", "COUNT", 1);
    return last?.[0] ?? BEGINNING;
  }

  private async wait(): Promise<void> {
    let last: string | undefined;
    while (!this.stopped.aborted) {
      try {
        if (["wait", "end"].includes(this.connection.status)) await this.connection.connect();
        if (last === undefined) {
          last = await this.lastId();
          this.tell();
        }
        const answer = await this.connection.xread("BLOCK", BLOCK_MS, "STREAMS", keys.events, last);
        const rows = answer?.[0]?.[1] ?? [];
        last = rows.at(-1)?.[0] ?? last;
        if (rows.length > 0) this.tell();
      } catch {
        // Redis is away. Nothing is missed: it goes on from where it was.
        await systemClock.sleep(PAUSE_MS, this.stopped).catch(() => undefined);
      }
    }
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
