import type { Redis } from "ioredis";
import { AppError } from "../app-error.js";
import { keys } from "../redis/keys.js";
import { HOLDS, type HeldLock } from "../redis/lock.js";
import type { ReleaseRecord } from "./release-record.js";
import { emptyRouteTable, routeTableSchema, type RouteTable } from "./route-table.js";

/** The route tables in Redis: written by the server, followed by every proxy. */
export class RouteTables {
  constructor(
    private readonly redis: Redis,
    private readonly token = "",
  ) {}

  /** The same, for who writes only while holding the app's lock: after that every change fails with `release-lock-lost`. */
  under({ token }: Pick<HeldLock, "token">): RouteTables {
    return new RouteTables(this.redis, token);
  }

  async read(app: string): Promise<RouteTable> {
    return (await this.readVersioned(app)).table;
  }

  /** The tables of these apps; an app without one has an empty one. */
  async readMany(apps: readonly string[]): Promise<RouteTable[]> {
    if (apps.length === 0) return [];
    const texts = await this.redis.hmget(keys.routes, ...apps);
    return apps.map((app, index) => parse(texts[index]) ?? emptyRouteTable(app));
  }

  /**
   * Changes an app's table, and the records of releases with it, in one step: either all of it is written or nothing.
   * `change` is pure and may run again when another writer was faster: what it depends on, it looks up in the table it
   * gets. One that returns that very table writes nothing, no record either. Answers the new revision, or the present one
   * when nothing changed. An app that is not known is not by a change that leaves it without releases.
   */
  async update(
    app: string,
    change: (table: RouteTable) => RouteTable,
    releases: readonly ReleaseRecord[] = [],
  ): Promise<number> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const { table, text, revision } = await this.readVersioned(app);
      const wanted = change(table);
      if (wanted === table) return revision;
      const changed = routeTableSchema.parse(wanted);
      if (text === "" && changed.releases.length === 0) return revision;
      const next = JSON.stringify(changed);
      if (next === text && releases.length === 0) return revision;
      const written = await this.write(app, text, next, releases);
      if (written !== undefined) return written;
    }
    throw new AppError("internal", { reason: `the route table of ${app} changes all the time` });
  }

  /** Forgets an app's table; proxies see that it is gone. */
  async remove(app: string): Promise<number> {
    const { text } = await this.readVersioned(app);
    return (await this.write(app, text, "", [])) ?? this.remove(app);
  }

  /** Every table that changed after `revision` (undefined: the app is gone), oldest change first, and the newest revision. */
  async changedSince(
    revision: number,
  ): Promise<{ revision: number; changes: Map<string, RouteTable | undefined> }> {
    const rows = await this.redis.zrangebyscore(keys.routeChanges, `(${revision}`, "+inf", "WITHSCORES");
    const apps = rows.filter((_, index) => index % 2 === 0);
    if (apps.length === 0) return { revision, changes: new Map() };
    const texts = await this.redis.hmget(keys.routes, ...apps);
    return {
      revision: Number(rows[rows.length - 1]),
      changes: new Map(apps.map((app, index) => [app, parse(texts[index])])),
    };
  }

  private async readVersioned(app: string): Promise<{ table: RouteTable; text: string; revision: number }> {
    const [text, revision] = await Promise.all([
      this.redis.hget(keys.routes, app),
      this.redis.zscore(keys.routeChanges, app),
    ]);
    return {
      table: parse(text) ?? emptyRouteTable(app),
      text: text ?? "",
      revision: Number(revision ?? 0),
    };
  }

  private async write(
    app: string,
    before: string,
    after: string,
    releases: readonly ReleaseRecord[],
  ): Promise<number | undefined> {
    const records = releases.flatMap((release) => [String(release.number), JSON.stringify(release)]);
    const revision = await this.redis.eval(
      WRITE,
      5,
      keys.routes,
      keys.revision,
      keys.routeChanges,
      keys.releases(app),
      keys.lock(app),
      app,
      before,
      after,
      keys.routesChannel,
      this.token,
      ...records,
    );
    if (revision === LOCK_LOST) throw new AppError("release-lock-lost", { app });
    return typeof revision === "number" && revision > 0 ? revision : undefined;
  }
}

const LOCK_LOST = -1;

/**
 * KEYS: routes hash, revision counter, changes zset, releases hash, lock.
 * ARGV: app, the table's text before ("" none), the text after ("" removes it), channel, the lock's token ("" without), then
 * number, record, ….
 * Answer: the new revision; 0 when the table is not what `before` says; -1 when the lock is not held with the token.
 */
const WRITE = `${HOLDS}
if not holds(KEYS[5], ARGV[5]) then return ${LOCK_LOST} end
local now = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if now ~= ARGV[2] then return 0 end
local revision = redis.call('INCR', KEYS[2])
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
redis.call('ZADD', KEYS[3], revision, ARGV[1])
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
redis.call('PUBLISH', ARGV[4], revision)
return revision`;

function parse(text: string | null | undefined): RouteTable | undefined {
  return text === null || text === undefined ? undefined : routeTableSchema.parse(JSON.parse(text));
}
