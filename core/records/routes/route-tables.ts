import type { Database } from "../../redis/database.js";
import { AppError } from "../../errors/app-error.js";
import { keys } from "../../redis/keys.js";
import { HOLDS, type HeldLock } from "../../redis/lock.js";
import { ADD_EVENTS, eventsArgument } from "../events/add-events.js";
import type { NewEvent } from "../events/event-record.js";
import { releaseRecordSchema, type ReleaseRecord } from "../releases/release-record.js";
import { emptyRouteTable, routeTableSchema, type RouteTable } from "./route-table.js";

/** What whoever follows the route tables has to know. */
export interface RouteChanges {
  readonly revision: number;
  /** App → its table, or undefined when it is gone; oldest change first. */
  readonly changes: ReadonlyMap<string, RouteTable | undefined>;
  /** Apps whose tables cannot be read: a later version may have written them. */
  readonly unreadable: readonly string[];
  /** These are all apps that there are: whichever else was known is gone. */
  readonly isComplete: boolean;
}

/** A change as it is about to be written: of the table, and of the records of releases that go with it. */
export interface TableChange {
  readonly before: RouteTable;
  readonly after: RouteTable;
  /** `before` is what Redis has, not what whoever changes it believes. */
  readonly releases: readonly { readonly before: ReleaseRecord | undefined; readonly after: ReleaseRecord }[];
}

/** What a change means, for the event stream. Pure; may run again, as the change. */
export type EventsOfChange = (change: TableChange) => readonly NewEvent[];

/** Of so many apps that went it is known when they did; whoever was away for longer reads all tables. */
const GONE_KEPT = 200;

/** The route tables in Redis: written by the server, followed by every proxy. */
export class RouteTables {
  constructor(
    private readonly redis: Database,
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
   * when nothing changed. An app that is not known is not by a change that leaves it without releases. `eventsOf` sees what
   * Redis has: of a change that is written again, since its answer was lost, it must say nothing.
   */
  async update(
    app: string,
    change: (table: RouteTable) => RouteTable,
    releases: readonly ReleaseRecord[] = [],
    eventsOf: EventsOfChange = () => [],
  ): Promise<number> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const { table, text, revision } = await this.readVersioned(app);
      const wanted = change(table);
      if (wanted === table) return revision;
      const changed = routeTableSchema.parse(wanted);
      if (text === "" && changed.releases.length === 0 && changed.domains.length === 0) return revision;
      const next = JSON.stringify(changed);
      if (next === text && releases.length === 0) return revision;
      const changes = await this.changesOf(app, releases);
      const events = eventsOf({ before: table, after: changed, releases: changes });
      const written = await this.write(
        { app, before: text, after: next, releases, events },
        claimsOf(table, changed),
      );
      if (written !== undefined) return written;
    }
    throw new AppError("internal", { reason: `the route table of ${app} keeps changing` });
  }

  /** The revision of an app's last change; 0: there was none. */
  async revisionOf(app: string): Promise<number> {
    return Number((await this.redis.zscore(keys.routeChanges, app)) ?? 0);
  }

  /** Forgets an app's table; proxies see that it is gone. */
  async remove(app: string): Promise<number> {
    const { table, text } = await this.readVersioned(app);
    const change = { app, before: text, after: "", releases: [], events: [] };
    const revision = await this.write(change, claimsOf(table, emptyRouteTable(app)));
    if (revision === undefined) return this.remove(app);
    const lists = [keys.routeChanges, keys.routes, keys.routesTrimmed];
    // What is not trimmed now is by the next one.
    await this.redis.eval(TRIM, lists.length, ...lists, String(GONE_KEPT)).catch(() => undefined);
    return revision;
  }

  /** What changed after `revision` (0: everything that is known). Throws `redis-unavailable`. */
  async changedSince(revision: number): Promise<RouteChanges> {
    // In this order: what is trimmed before the list is read is known to be missing.
    const [rows, trimmed] = await Promise.all([
      this.redis.zrangebyscore(keys.routeChanges, `(${revision}`, "+inf", "WITHSCORES"),
      this.redis.get(keys.routesTrimmed),
    ]);
    if (revision > 0 && revision < Number(trimmed ?? 0)) return this.changedSince(0);
    const apps = rows.filter((_, index) => index % 2 === 0);
    const texts = apps.length === 0 ? [] : await this.redis.hmget(keys.routes, ...apps);
    const changes = new Map<string, RouteTable | undefined>();
    const unreadable: string[] = [];
    for (const [index, app] of apps.entries()) {
      try {
        changes.set(app, parse(texts[index]));
      } catch {
        unreadable.push(app);
      }
    }
    return {
      revision: apps.length === 0 ? revision : Number(rows[rows.length - 1]),
      changes,
      unreadable,
      isComplete: revision < Number(trimmed ?? 0),
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

  /** Read after the table: whoever changes a record with the table since then makes the write fail. */
  private async changesOf(app: string, releases: readonly ReleaseRecord[]): Promise<TableChange["releases"]> {
    if (releases.length === 0) return [];
    const texts = await this.redis.hmget(keys.releases(app), ...releases.map(({ number }) => String(number)));
    return releases.map((after, index) => ({ before: parseRelease(texts[index]), after }));
  }

  /** Which app has a domain; undefined: none. */
  async ownerOf(domain: string): Promise<string | undefined> {
    return (await this.redis.hget(keys.domains, domain)) ?? undefined;
  }

  private async write(
    { app, before, after, releases, events }: TextChange,
    { claimed, freed }: Claims,
  ): Promise<number | undefined> {
    const records = releases.flatMap((release) => [String(release.number), JSON.stringify(release)]);
    const revision: unknown = await this.redis.eval(
      WRITE,
      7,
      keys.routes,
      keys.revision,
      keys.routeChanges,
      keys.releases(app),
      keys.lock(app),
      keys.events,
      keys.domains,
      app,
      before,
      after,
      keys.routesChannel,
      this.token,
      eventsArgument(events),
      String(claimed.length),
      String(freed.length),
      ...claimed,
      ...freed,
      ...records,
    );
    if (revision === LOCK_LOST) throw new AppError("release-lock-lost", { app });
    if (Array.isArray(revision)) {
      const [domain, name, owner] = revision.map(String) as [string, string, string];
      throw new AppError("domain-taken", { domain, name, app: owner });
    }
    return typeof revision === "number" && revision > 0 ? revision : undefined;
  }
}

/** A change as the script gets it: texts of the table, "" for none. */
interface TextChange {
  readonly app: string;
  readonly before: string;
  readonly after: string;
  readonly releases: readonly ReleaseRecord[];
  readonly events: readonly NewEvent[];
}

/** The domains that an app gets and gives back. */
interface Claims {
  readonly claimed: readonly string[];
  readonly freed: readonly string[];
}

function claimsOf(before: RouteTable, after: RouteTable): Claims {
  const [had, has] = [before, after].map(({ domains }) => domains.map(({ name }) => name)) as [
    string[],
    string[],
  ];
  return {
    claimed: has.filter((name) => !had.includes(name)),
    freed: had.filter((name) => !has.includes(name)),
  };
}

const LOCK_LOST = -1;

/**
 * KEYS: routes hash, revision counter, changes zset, releases hash, lock, events stream, domains hash.
 * ARGV: app, the table's text before ("" none), the text after ("" removes it), channel, the lock's token ("" without), the
 * events, how many domains are claimed, how many are freed, these, then number, record, ….
 * Answer: the new revision; 0 when the table is not what `before` says; -1 when the lock is not held with the token; the domain,
 * the name that overlaps with it, and its app, when another app has that.
 */
const WRITE = `${HOLDS}${ADD_EVENTS}
if not holds(KEYS[5], ARGV[5]) then return ${LOCK_LOST} end
local now = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if now ~= ARGV[2] then return 0 end
local claimed = tonumber(ARGV[7])
local freed = tonumber(ARGV[8])
local function otherOwner(name)
  local owner = redis.call('HGET', KEYS[7], name)
  return owner and owner ~= ARGV[1] and owner
end
for i = 9, 8 + claimed do
  local domain = ARGV[i]
  local suffix = string.match(domain, '^[^.]+(%..+)$')
  for _, name in ipairs({ domain, '*' .. suffix }) do
    local owner = otherOwner(name)
    if owner then return { domain, name, owner } end
  end
  if string.sub(domain, 1, 2) == '*.' then
    local all = redis.call('HGETALL', KEYS[7])
    for j = 1, #all, 2 do
      if all[j + 1] ~= ARGV[1] and string.match(all[j], '^[^.]+(%..+)$') == suffix then return { domain, all[j], all[j + 1] } end
    end
  end
end
for i = 9, 8 + claimed do redis.call('HSET', KEYS[7], ARGV[i], ARGV[1]) end
for i = 9 + claimed, 8 + claimed + freed do
  if redis.call('HGET', KEYS[7], ARGV[i]) == ARGV[1] then redis.call('HDEL', KEYS[7], ARGV[i]) end
end
local revision = redis.call('INCR', KEYS[2])
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
redis.call('ZADD', KEYS[3], revision, ARGV[1])
for i = 9 + claimed + freed, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) end
addEvents(KEYS[6], ARGV[6])
redis.call('PUBLISH', ARGV[4], revision)
return revision`;

/**
 * KEYS: changes zset, routes hash, the revision from before which changes are missing. ARGV: how many apps that went are kept.
 * Forgets the apps that went first.
 */
const TRIM = `
local more = redis.call('ZCARD', KEYS[1]) - redis.call('HLEN', KEYS[2]) - tonumber(ARGV[1])
if more <= 0 then return 0 end
local rows = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #rows, 2 do
  if more <= 0 then break end
  if redis.call('HEXISTS', KEYS[2], rows[i]) == 0 then
    redis.call('ZREM', KEYS[1], rows[i])
    redis.call('SET', KEYS[3], rows[i + 1])
    more = more - 1
  end
end
return 1`;

function parse(text: string | null | undefined): RouteTable | undefined {
  return text === null || text === undefined ? undefined : routeTableSchema.parse(JSON.parse(text));
}

function parseRelease(text: string | null | undefined): ReleaseRecord | undefined {
  return text === null || text === undefined ? undefined : releaseRecordSchema.parse(JSON.parse(text));
}
