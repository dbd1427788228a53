import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";

/** Releases (`APP/vN`) that a visitor waits for: the proxy asks, the server starts them. */
export class WakeRequests {
  constructor(private readonly redis: Database) {}

  async ask(release: string): Promise<void> {
    await this.redis.multi().sadd(keys.wake, release).publish(keys.wakeChannel, release).exec();
  }

  async waiting(): Promise<string[]> {
    return this.redis.smembers(keys.wake);
  }

  async isWaiting(release: string): Promise<boolean> {
    return (await this.redis.sismember(keys.wake, release)) === 1;
  }

  /** It runs, or will not. */
  async done(release: string): Promise<void> {
    await this.redis.srem(keys.wake, release);
  }
}
