import type { Database } from "../../core/redis/database.js";
import type { Log } from "../../core/log.js";
import { AppError, isAppError, toAppError } from "../../core/errors/app-error.js";
import type { AppRecord } from "../../core/records/apps/app-record.js";
import { appKeyPattern, appOfRedisUser, keys, redisUserOf } from "../../core/redis/keys.js";

/** Users that are made with one question: Redis answers nobody else meanwhile. */
const AT_ONCE = 50;

export interface RedisUserOptions {
  /** The Redis that apps use. */
  readonly redis: Database;
  /** Whether Sluice's records are in another one, so that releases go on while this one is away. */
  readonly isSeparate: boolean;
  /** The address that instances reach it at, without user and password: `redis://127.0.0.1:6390/0`. */
  readonly url: string;
  /** Keeps all users for the next start of Redis, where its configuration is ours. */
  readonly keep?: () => Promise<void>;
}

/** One Redis user per app: all of `app:APP:*`, its own flags for reading, nothing else. */
export class RedisUsers {
  private readonly redis: Database;

  constructor(
    private readonly options: RedisUserOptions,
    private readonly log: Log,
  ) {
    this.redis = options.redis;
  }

  /** Whether the apps' Redis is one of its own, and answers; undefined where Sluice's records are in it too. */
  async isUp(): Promise<boolean | undefined> {
    if (!this.options.isSeparate) return undefined;
    return this.redis.ping().then(
      () => true,
      () => false,
    );
  }

  /**
   * Makes or renews the user. Throws `redis-refused` where Redis does not allow it; `redis-unavailable`, or
   * `apps-redis-unavailable` where Sluice's records are in another Redis: the user is made when that one is back.
   */
  async ensure(app: AppRecord, password: string): Promise<void> {
    try {
      await this.redis.call("ACL", ...userCommand(app, password));
    } catch (error) {
      throw this.named(error);
    }
    await this.keepAll();
  }

  /**
   * The same for many at once, those that Redis refuses are logged. Throws `redis-unavailable`; an apps' Redis that is away
   * is logged.
   */
  async ensureAll(users: readonly { readonly app: AppRecord; readonly password: string }[]): Promise<void> {
    try {
      for (let from = 0; from < users.length; from += AT_ONCE) {
        const batch = users.slice(from, from + AT_ONCE);
        await Promise.all(batch.map(async ({ app, password }) => this.ensureOrTell(app, password)));
      }
      await this.keepAll();
    } catch (error) {
      this.throwUnlessAway(error);
    }
  }

  /** The apps that have one. In a Redis of somebody's own any user could be called so: there it is none. */
  async apps(): Promise<string[]> {
    if (!this.options.isSeparate) return [];
    return (await this.redis.acl("USERS")).flatMap((user) => appOfRedisUser(user) ?? []);
  }

  private async ensureOrTell(app: AppRecord, password: string): Promise<void> {
    try {
      await this.redis.call("ACL", ...userCommand(app, password));
    } catch (error) {
      if (!isAppError(error, "redis-refused")) throw error;
      this.log.error({ err: error, app: app.name }, "Redis refused to create a user for an app");
    }
  }

  /** Also ends the app's connections. One that is away is logged. */
  async remove(app: string): Promise<void> {
    try {
      await this.redis.acl("DELUSER", redisUserOf(app));
      await this.keepAll();
    } catch (error) {
      // It is removed when the apps' Redis is back.
      this.throwUnlessAway(error);
    }
  }

  private named(error: unknown): AppError {
    const problem = toAppError(error);
    if (!this.options.isSeparate || !isAppError(problem, "redis-unavailable")) return problem;
    const reason = problem.cause instanceof Error ? problem.cause.message : "no answer";
    return new AppError("apps-redis-unavailable", { reason }, { cause: problem });
  }

  private throwUnlessAway(error: unknown): void {
    const problem = this.named(error);
    if (!isAppError(problem, "apps-redis-unavailable")) throw problem;
    this.log.warn({ err: problem }, "the users of the apps' Redis are brought up to date when it is back");
  }

  /** They are there now, and made again when Redis returns without them: a full disk must not stand in the way of a release. */
  private async keepAll(): Promise<void> {
    try {
      await this.options.keep?.();
    } catch (error) {
      this.log.warn({ err: error }, "could not save the Redis users");
    }
  }

  /** What the app's processes get as `REDIS_URL`. */
  url(app: AppRecord, password: string): string {
    const url = new URL(this.options.url);
    url.username = redisUserOf(app.name);
    url.password = password;
    return url.toString();
  }
}

function userCommand(app: AppRecord, password: string): string[] {
  return ["SETUSER", redisUserOf(app.name), "reset", "on", `>${password}`, ...rules(app.name)];
}

/**
 * Redis' ACL rules (redis.io, "ACL"): every data command but those that look at other people's keys, change the server or
 * keep it from the others.
 */
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
    // Tracking tells everybody's keys.
    "-client",
    ...["id", "info", "setname", "getname", "reply"].map((name) => `+client|${name}`),
    "-acl",
    "-memory",
    "+memory|usage",
    // It lists everybody's channels.
    "-pubsub",
    "+pubsub|numsub",
  ];
}
