import type { Log } from "../../core/log.js";
import { PerKey } from "../../core/loop/per-key.js";
import { Ticker } from "../../core/loop/ticker.js";
import { subscriberOf } from "../../core/redis/connection.js";
import type { Database } from "../../core/redis/database.js";
import { KeyWatch } from "../../core/redis/key-watch.js";
import { keys } from "../../core/redis/keys.js";
import { replyCode } from "../../core/redis/redis-error.js";

const RETRY_MS = 1000;
const SCAN_COUNT = 1000;
const PREFIX = keys.flags("");

/**
 * Apps read their flags, and hear of changes, in their own Redis; Sluice's count. This carries both over, one way:
 * whoever writes there (an admin with `HSET` too), and every message on a flags' channel, after the flags. When either Redis
 * comes back, all flags are compared.
 */
export class FlagMirror {
  private readonly watch: KeyWatch;
  private readonly subscriber: Database;
  private readonly work: PerKey;
  private readonly retry: Ticker;
  /** Hashes that the apps' Redis may not have as they are → flags to announce once it has. */
  private readonly pending = new Map<string, Set<string>>();
  private isBehind = true;
  private readonly compare = (): void => {
    this.isBehind = true;
    this.retry.wake();
  };

  constructor(
    private readonly from: Database,
    private readonly to: Database,
    log: Log,
  ) {
    this.watch = new KeyWatch(from, PREFIX, (key) => (key === undefined ? this.compare() : this.bring(key)));
    this.subscriber = subscriberOf(from);
    this.work = new PerKey({
      onError: (error, key) => log.debug({ err: error, key }, "could not bring flags to the apps' Redis yet"),
    });
    this.retry = new Ticker({
      everyMs: RETRY_MS,
      job: async () => this.catchUp(),
      onError: (error) => log.debug({ err: error }, "could not compare the flags of the two Redis yet"),
    });
  }

  async start(): Promise<{ stop(): Promise<void> }> {
    this.subscriber.on("error", () => undefined);
    this.subscriber.on("pmessage", (_pattern: string, channel: string, flag: string) =>
      this.bring(channel, flag),
    );
    this.to.on("ready", this.compare);
    await this.subscriber.psubscribe(`${PREFIX}*`);
    await this.watch.start();
    await this.retry.startNow();
    return { stop: async () => this.stop() };
  }

  private async stop(): Promise<void> {
    this.to.off("ready", this.compare);
    this.watch.stop();
    this.subscriber.disconnect();
    await this.retry.stop();
    await this.work.stop();
  }

  /** Copies one app's flags as they are now; then announces `flag`, if it is given. */
  private bring(key: string, flag?: string): void {
    const announced = this.pending.get(key) ?? new Set();
    if (flag !== undefined) announced.add(flag);
    this.pending.set(key, announced);
    this.work.run(key, async () => this.copy(key));
  }

  private async copy(key: string): Promise<void> {
    const announced = this.pending.get(key);
    if (announced === undefined) return;
    this.pending.delete(key);
    try {
      await this.write(key, Object.entries(await this.from.hgetall(key)).flat());
      for (const flag of announced) await this.to.publish(key, flag);
    } catch (error) {
      this.pending.set(key, new Set([...announced, ...(this.pending.get(key) ?? [])]));
      throw error;
    }
  }

  private async catchUp(): Promise<void> {
    if (this.from.status !== "ready" || this.to.status !== "ready") return;
    if (this.isBehind) {
      this.isBehind = false;
      try {
        for (const redis of [this.from, this.to]) for (const key of await flagKeys(redis)) this.bring(key);
      } catch (error) {
        this.isBehind = true;
        throw error;
      }
    }
    for (const key of this.pending.keys()) this.work.run(key, async () => this.copy(key));
  }

  private async write(key: string, fields: readonly string[]): Promise<void> {
    try {
      await this.to.eval(REPLACE, 1, key, ...fields);
    } catch (error) {
      if (replyCode(error) !== "NOREPLICAS") throw error;
      // The disk is almost full and apps may not write. Flags are small, and must get through. Redis would refuse to queue
      // them in a transaction; these go in one piece, and are done back to back.
      await this.to
        .pipeline()
        .config("SET", "min-replicas-to-write", "0")
        .eval(REPLACE, 1, key, ...fields)
        .config("SET", "min-replicas-to-write", "1")
        .exec();
    }
  }
}

async function flagKeys(redis: Database): Promise<string[]> {
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, some] = await redis.scan(cursor, "MATCH", `${PREFIX}*`, "COUNT", SCAN_COUNT);
    found.push(...some);
    cursor = next;
  } while (cursor !== "0");
  return found;
}

/**
 * Makes a hash what it is elsewhere, also when the apps have used all memory. KEYS: the hash. ARGV: its fields and values in
 * turn. Writes nothing when it is the same already. Answer: whether it was another.
 */
const REPLACE = `#!lua flags=allow-oom
local now = redis.call('HGETALL', KEYS[1])
local have, count = {}, 0
for i = 1, #now, 2 do have[now[i]] = now[i + 1]; count = count + 1 end
local same = count * 2 == #ARGV
for i = 1, #ARGV, 2 do same = same and have[ARGV[i]] == ARGV[i + 1] end
if same then return 0 end
redis.call('DEL', KEYS[1])
for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1`;
