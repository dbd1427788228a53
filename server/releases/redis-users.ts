import type { Redis } from "ioredis";
import type { AppRecord } from "../../core/records/app-record.js";
import { appKeyPattern, keys } from "../../core/redis/keys.js";

export interface RedisUserOptions {
  /** The address that instances reach Redis at, without user and password: `redis://127.0.0.1:6390/0`. */
  readonly url: string;
  /** Whether Redis keeps its users in a file of its own (the private one does). */
  readonly persistent: boolean;
}

/** One Redis user per app: all of `app:APP:*`, its own flags for reading, nothing else. */
export class RedisUsers {
  constructor(
    private readonly redis: Redis,
    private readonly options: RedisUserOptions,
  ) {}

  /** Makes or renews the user. Throws `redis-refused` where Redis does not allow it, `redis-unavailable`. */
  async ensure(app: AppRecord, password: string): Promise<void> {
    const user = userName(app.name);
    await this.redis.call("ACL", "SETUSER", user, "reset", "on", `>${password}`, ...rules(app.name));
    if (this.options.persistent) await this.redis.call("ACL", "SAVE");
  }

  async remove(app: string): Promise<void> {
    await this.redis.call("ACL", "DELUSER", userName(app));
    if (this.options.persistent) await this.redis.call("ACL", "SAVE");
  }

  /** What the app's processes get as `REDIS_URL`. */
  url(app: AppRecord, password: string): string {
    const url = new URL(this.options.url);
    url.username = userName(app.name);
    url.password = password;
    return url.toString();
  }
}

/** Redis' ACL rules (redis.io, "ACL"): every data command but those that look at other people's keys or change the server. */
function rules(app: string): string[] {
  return [
    `~${appKeyPattern(app)}`,
    `%R~${keys.flags(app)}`,
    "resetchannels",
    `&${appKeyPattern(app)}`,
    `&${keys.flags(app)}`,
    "+@all",
    "-@admin",
    "-@dangerous",
    "+info",
    // Scripts of one's own, but nobody else's: functions and the script cache are common to all.
    "-@scripting",
    "+eval",
    "+evalsha",
    "+script|load",
    "+script|exists",
    "-scan",
    "-randomkey",
    "-dbsize",
  ];
}

function userName(app: string): string {
  return `app-${app}`;
}
