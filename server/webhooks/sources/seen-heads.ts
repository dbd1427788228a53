import type { AppKeys } from "../../../core/records/apps/app-keys.js";
import type { Database } from "../../../core/redis/database.js";
import { keys } from "../../../core/redis/keys.js";

export const SEEN_HEAD_KEYS: AppKeys = { own: [keys.sourceHeads] };

/**
 * Where each branch of an app's source stood when what it asked for was done, so that what no delivery told of is noticed.
 * Nothing is written for an app that has no webhook any more.
 */
export class SeenHeads {
  constructor(private readonly redis: Database) {}

  /** Branch → commit, "" for one that is pending; undefined when its source was never looked at. */
  async read(app: string): Promise<Map<string, string> | undefined> {
    const heads = new Map(Object.entries(await this.redis.hgetall(keys.sourceHeads(app))));
    return heads.delete(LOOKED_AT) ? heads : undefined;
  }

  /** `commit` undefined: the branch is gone. */
  async set(app: string, branch: string, commit: string | undefined): Promise<void> {
    if (commit === undefined) await this.redis.hdel(keys.sourceHeads(app), branch);
    else await this.write("HSET", app, { [branch]: commit });
  }

  /** What was asked for could not be done: wherever the branch is found to stand, it is to be done then. */
  async markPending(app: string, branch: string): Promise<void> {
    await this.write("HSET", app, { [branch]: OWED });
  }

  /** What is there before anything is asked for: it deploys with its next push. What is known or pending stays. */
  async begin(app: string, heads: ReadonlyMap<string, string>): Promise<void> {
    await this.write("HSETNX", app, { [LOOKED_AT]: "yes", ...Object.fromEntries(heads) });
  }

  async forget(app: string): Promise<void> {
    await this.redis.del(keys.sourceHeads(app));
  }

  private async write(
    how: "HSET" | "HSETNX",
    app: string,
    heads: Readonly<Record<string, string>>,
  ): Promise<void> {
    const names = [keys.webhooks, keys.sourceHeads(app)];
    await this.redis.eval(WRITE, names.length, ...names, app, how, ...Object.entries(heads).flat());
  }
}

/** No branch is called so. */
const LOOKED_AT = ":looked-at";
/** No commit is called so. */
const OWED = "";

/** KEYS: webhooks, heads hash. ARGV: app, HSET or HSETNX, then branch, commit, …. Answer: 1 written, 0 it has no webhook. */
const WRITE = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
for i = 3, #ARGV, 2 do redis.call(ARGV[2], KEYS[2], ARGV[i], ARGV[i + 1]) end
return 1`;
