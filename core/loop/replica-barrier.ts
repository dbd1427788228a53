import { Ticker } from "./ticker.js";
import type { Log } from "../log.js";
import type { Database } from "../redis/database.js";
import { keys } from "../redis/keys.js";
import { readReplication } from "../redis/replicas/replication.js";

const TICK_MS = 1000;
const WAIT_MS = 1000;

/**
 * Lets an answer wait until a replica has all that was written before it: what was answered is then not lost with this
 * machine. Where no replica is in sync nobody waits.
 */
export class ReplicaBarrier {
  private readonly own: Database;
  private readonly ticker: Ticker;
  private hasReplica = false;
  private asking: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(
    private readonly redis: Database,
    private readonly log: Log,
  ) {
    // Whoever waits keeps its connection from everything else.
    this.own = redis.another({ lazyConnect: true });
    this.own.on("error", () => undefined);
    this.ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.look(),
      onError: () => (this.hasReplica = false),
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return {
      stop: async () => {
        await this.ticker.stop();
        this.own.disconnect();
      },
    };
  }

  /**
   * Never rejects: what is written is written, with or without a replica. Whoever comes while Redis is being asked shares the next
   * question, so that nobody waits for more than two.
   */
  async pass(): Promise<void> {
    if (!this.hasReplica) return;
    if (this.asking === undefined) {
      this.asking = this.ask().finally(() => (this.asking = undefined));
      return this.asking;
    }
    this.next ??= this.asking.then(async () => {
      this.next = undefined;
      return this.pass();
    });
    return this.next;
  }

  private async ask(): Promise<void> {
    try {
      // Replicas get everything in its order: this comes after all that was written before.
      await this.own.set(keys.redisMark, new Date().toISOString());
      if ((await this.own.wait(1, WAIT_MS)) > 0) return;
      this.log.warn("no replica of Redis has said within 1 s that it has what was just answered");
    } catch (error) {
      this.log.warn({ err: error }, "whether a replica of Redis has what was just answered is not known");
    }
    // Until the next look: one that hangs must not slow down every answer.
    this.hasReplica = false;
  }

  private async look(): Promise<void> {
    if (this.own.status === "wait") await this.own.connect();
    const { replicas } = await readReplication(this.redis);
    this.hasReplica = replicas.some(({ isInSync, lagSeconds }) => isInSync && lagSeconds <= 2);
  }
}
