import type { Database } from "./database.js";

const CHANNEL = "__redis__:invalidate";

/**
 * Tells when a key changed, whoever changed it: Redis' client-side caching in broadcasting mode (redis.io, "Client-side
 * caching"), which needs no setting of the server as keyspace notifications do. It has two connections of its own: only RESP 2
 * redirects the messages to a subscription, and a connection that tracks can redirect to one other.
 */
export class KeyWatch {
  private readonly tracking: Database;
  private readonly subscriber: Database;
  /** Redis' number for the subscriber's connection. */
  private id = 0;

  /**
   * `onChange` is called for every change of a key that begins with `prefix`, with the key; without one when changes may have
   * been missed.
   */
  constructor(
    redis: Database,
    private readonly prefix: string,
    private readonly onChange: (key?: string) => void,
  ) {
    this.subscriber = redis.another({ protocol: 2, autoResubscribe: false, maxRetriesPerRequest: null });
    this.tracking = redis.another({ lazyConnect: true });
    // A list of keys, which ioredis joins; it is empty when all have gone (FLUSHALL).
    this.subscriber.on("message", (_channel: string, list: string) => {
      if (list === "") onChange();
      else for (const key of list.split(",")) onChange(key);
    });
    for (const connection of this.connections()) {
      connection.on("error", () => undefined);
      connection.on("ready", () => void this.listen().catch(() => undefined));
    }
  }

  async start(): Promise<void> {
    await Promise.all(
      this.connections().map(async (connection) => connection.connect().catch(() => undefined)),
    );
  }

  stop(): void {
    for (const connection of this.connections()) connection.disconnect();
  }

  private connections(): readonly Database[] {
    return [this.tracking, this.subscriber];
  }

  /** Both connections may be new: tracking ends with either. */
  private async listen(): Promise<void> {
    if (this.tracking.status !== "ready" || this.subscriber.status !== "ready") return;
    if (this.subscriber.mode !== "subscriber") {
      this.id = await this.subscriber.client("ID");
      await this.subscriber.subscribe(CHANNEL);
    }
    await this.tracking.call("CLIENT", "TRACKING", "OFF");
    await this.tracking.call(
      "CLIENT",
      "TRACKING",
      "ON",
      "REDIRECT",
      String(this.id),
      "BCAST",
      "PREFIX",
      this.prefix,
    );
    this.onChange();
  }
}
