import type { Database } from "../../core/redis/database.js";
import type { Log } from "../../core/log.js";
import { isAppError } from "../../core/errors/app-error.js";
import type { AppRecord } from "../../core/records/apps/app-record.js";
import { appKeyPattern, keys } from "../../core/redis/keys.js";

/** Users that are made with one question: Redis answers nobody else meanwhile. */
const AT_ONCE = 50;

export interface RedisUserOptions {
  /** The address that instances reach Redis at, without user and password: `redis://127.0.0.1:6390/0`. */
  readonly url: string;
  /** Keeps all users (lines of `ACL LIST`) for the next start of Redis, where its configuration is ours. */
  readonly keep?: (lines: readonly string[]) => Promise<void>;
}

/** One Redis user per app: all of `app:APP:*`, its own flags for reading, nothing else. */
export class RedisUsers {
  private keeping = Promise.resolve();

  constructor(
    private readonly redis: Database,
    private readonly options: RedisUserOptions,
    private readonly log: Log,
  ) {}

  /** Makes or renews the user. Throws `redis-refused` where Redis does not allow it, `redis-unavailable`. */
  async ensure(app: AppRecord, password: string): Promise<void> {
    await this.redis.call("ACL", ...userCommand(app, password));
    await this.keepAll();
  }

  /** The same for many at once, those that Redis refuses are logged. Throws `redis-unavailable`. */
  async ensureAll(users: readonly { readonly app: AppRecord; readonly password: string }[]): Promise<void> {
    for (let from = 0; from < users.length; from += AT_ONCE) {
      const batch = users.slice(from, from + AT_ONCE);
      await Promise.all(batch.map(async ({ app, password }) => this.ensureOrTell(app, password)));
    }
    await this.keepAll();
  }

  private async ensureOrTell(app: AppRecord, password: string): Promise<void> {
    try {
      await this.redis.call("ACL", ...userCommand(app, password));
    } catch (error) {
      if (!isAppError(error, "redis-refused")) throw error;
      this.log.error({ err: error, app: app.name }, "Redis refused to create a user for an app");
    }
  }

  async remove(app: string): Promise<void> {
    await this.redis.call("ACL", "DELUSER", userName(app));
    await this.keepAll();
  }

  /** They are there now, and made again when Redis returns without them: a full disk must not stand in the way of a release. */
  private async keepAll(): Promise<void> {
    const { keep } = this.options;
    if (keep === undefined) return;
    // One after the other: an older list must not take the place of a newer one.
    this.keeping = this.keeping.then(async () => {
      try {
        await keep(await this.redis.acl("LIST"));
      } catch (error) {
        this.log.warn({ err: error }, "could not save the Redis users");
      }
    });
    await this.keeping;
  }

  /** What the app's processes get as `REDIS_URL`. */
  url(app: AppRecord, password: string): string {
    const url = new URL(this.options.url);
    url.username = userName(app.name);
    url.password = password;
    return url.toString();
  }
}

function userCommand(app: AppRecord, password: string): string[] {
  return ["SETUSER", userName(app.name), "reset", "on", `>${password}`, ...rules(app.name)];
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
