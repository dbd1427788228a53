import type { Database } from "./database.js";

const CHANNEL = "__redis__:invalidate";

/**
 * Tells when a key changed, whoever changed it: Redis' client-side caching in broadcasting mode (redis.io, "Client-side
 * caching"), which needs no setting of the server as keyspace notifications do. The messages come over a connection of
 * their own, since only RESP 2 redirects them to a subscription.
 */
export class KeyWatch {
  private readonly subscriber: Database;
  /** Redis' number for the subscriber's connection. */
  private id = 0;
  private readonly arm = (): void => {
    this.listen().catch(() => undefined);
  };

  /**
   * `onChange` is called for every change of a key that begins with `prefix`, with the key; without one when changes may have
   * been missed.
   */
  constructor(
    private readonly redis: Database,
    private readonly prefix: string,
    private readonly onChange: (key?: string) => void,
  ) {
    this.subscriber = redis.another({ protocol: 2, autoResubscribe: false, maxRetriesPerRequest: null });
    this.subscriber.on("error", () => undefined);
    // A list of keys, which ioredis joins; it is empty when all have gone (FLUSHALL).
    this.subscriber.on("message", (_channel: string, list: string) => {
      if (list === "") onChange();
      else for (const key of list.split(",")) onChange(key);
    });
    this.subscriber.on("ready", this.arm);
    redis.on("ready", this.arm);
  }

  async start(): Promise<void> {
    await this.subscriber.connect().catch(() => undefined);
  }

  stop(): void {
    this.redis.off("ready", this.arm);
    this.subscriber.disconnect();
  }

  /** Both connections may be new: tracking ends with either. */
  private async listen(): Promise<void> {
    if (this.redis.status !== "ready" || this.subscriber.status !== "ready") return;
    if (this.subscriber.mode !== "subscriber") {
      this.id = await this.subscriber.client("ID");
      await this.subscriber.subscribe(CHANNEL);
    }
    await this.redis.call("CLIENT", "TRACKING", "OFF");
    await this.redis.call(
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
