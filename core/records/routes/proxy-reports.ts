import { z } from "zod";
import type { Database } from "../../redis/database.js";
import { actorOf, type Actor } from "../events/actor.js";
import { ADD_EVENTS, eventsArgument } from "../events/add-events.js";
import { BY_SLUICE } from "../events/event-record.js";
import { keys } from "../../redis/keys.js";
import { parseRecord } from "../../redis/parse-record.js";

const reportSchema = z.object({
  /** The newest revision of the route tables that it follows; 0 while it has still to read them. */
  revision: z.number(),
  /** The newest revision of the certificates that it serves; 0 while it has still to read them. */
  certificates: z.number().default(0),
  /** Ids of certificates that it cannot serve. */
  refused: z.array(z.string()).default([]),
  /** Apps whose tables it could not apply: of these it serves an earlier one. */
  failing: z.array(z.string()).default([]),
  /** Addresses of instances that it gives nothing new, and on which something was still open then. */
  leaving: z.array(z.string()).default([]),
  /** Whether its machine has the address that proxies share. */
  hasSharedAddress: z.boolean().default(false),
});

export type ProxyReport = z.infer<typeof reportSchema>;

/** A proxy that has reported once, and was not removed since. */
export interface ProxyMember {
  readonly id: string;
  readonly report: ProxyReport;
  /** When it reported last: ms since 1970 by Redis' clock, for people; 0 when that is not known. */
  readonly seenAt: number;
  /** It has not reported for a while: what it does is not known, and it may serve on as it did. */
  readonly isSilent: boolean;
}

const loadSchema = z.object({
  /** Streams (requests, WebSockets, event streams) that are open now, over all of HAProxy's processes. */
  connections: z.number(),
  /** Seconds since the last request was given to it. */
  idleSeconds: z.number(),
  /** The revision of the route tables that it followed when it counted. */
  revision: z.number().default(0),
});

export type ReleaseLoad = z.infer<typeof loadSchema>;

/** After so long without a report a proxy is silent. */
export const SILENT_AFTER_MS = 5000;
const LOAD_LIFE_SECONDS = 10;

/** Whether it routes an app by `revision` or a later one, as far as it says. */
export function hasApplied({ report }: ProxyMember, revision: number, app: string): boolean {
  return report.revision >= revision && !report.failing.includes(app);
}

/**
 * What proxies tell: which revision they have applied, and how much is still open on what drains. A proxy is a member from
 * its first report until it is removed: one that is silent is unknown, not gone.
 */
export class ProxyReports {
  /** Proxy → its last report that was seen here, and when that was seen first. */
  private readonly observed = new Map<string, { readonly mark: string; readonly sinceMs: number }>();

  /** `monotonicMs`: a clock that nobody sets, from any beginning. */
  constructor(
    private readonly redis: Database,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {
    // While Redis was away nobody could report.
    redis.on("ready", () => this.observed.clear());
  }

  async report(proxy: string, report: z.input<typeof reportSchema>): Promise<void> {
    const text = JSON.stringify(report);
    await this.redis.eval(REPORT, 2, keys.proxies, keys.proxiesSeen, proxy, text);
  }

  /**
   * Every proxy that is to be reckoned with, by name. Whether one is silent is judged by how long no other report of it
   * was seen here, since no two machines' clocks are alike: at first none is. Throws `redis-unavailable`,
   * `record-unreadable`.
   */
  async members(): Promise<ProxyMember[]> {
    const askedMs = this.monotonicMs();
    const { reports, seen } = await this.readAll();
    for (const id of this.observed.keys()) if (!(id in reports)) this.observed.delete(id);
    return Object.entries(reports)
      .map(([id, text]): ProxyMember => {
        const isSilent = askedMs - this.sinceMs(id, `${seen[id]} ${text}`) >= SILENT_AFTER_MS;
        const report = parseRecord(reportSchema, text, `${id} of ${keys.proxies}`);
        return { id, report, seenAt: Number(seen[id] ?? 0), isSilent };
      })
      .sort((a, b) => a.id.localeCompare(b.id));
  }

  /** It is no member any more; false when it has reported since `member` was read. */
  async remove(
    { id, seenAt }: Pick<ProxyMember, "id" | "seenAt">,
    actor: Actor = { by: BY_SLUICE },
  ): Promise<boolean> {
    const changed = [keys.proxies, keys.proxiesSeen, keys.load(id), keys.events];
    const events = eventsArgument([
      { ...actorOf(actor), app: "", type: "proxy.removed", data: { subject: id } },
    ]);
    const removed = await this.redis.eval(REMOVE, changed.length, ...changed, id, String(seenAt), events);
    return removed === 1;
  }

  /** A proxy that stops with its HAProxy is no member any more. */
  async leave(proxy: string): Promise<void> {
    await this.redis
      .multi()
      .hdel(keys.proxies, proxy)
      .hdel(keys.proxiesSeen, proxy)
      .del(keys.load(proxy))
      .exec();
  }

  /** `loads`: `APP/vN` → its load. */
  async reportLoads(proxy: string, loads: ReadonlyMap<string, ReleaseLoad>): Promise<void> {
    const key = keys.load(proxy);
    const batch = this.redis.multi().del(key);
    for (const [release, load] of loads) batch.hset(key, release, JSON.stringify(load));
    await batch.expire(key, LOAD_LIFE_SECONDS).exec();
  }

  /**
   * Releases (`APP/vN`) → the load of each at every proxy; undefined for a proxy that has not counted it since it followed
   * `revision`, or that is silent: there anything may be open.
   */
  async loadsOf(
    releases: readonly string[],
    revision: number,
  ): Promise<Map<string, (ReleaseLoad | undefined)[]>> {
    const loads = new Map(releases.map((release) => [release, [] as (ReleaseLoad | undefined)[]]));
    if (releases.length === 0) return loads;
    for (const { id, isSilent } of await this.members()) {
      const texts = isSilent ? [] : await this.redis.hmget(keys.load(id), ...releases);
      for (const [index, release] of releases.entries()) {
        const text = texts[index] ?? undefined;
        const load = text === undefined ? undefined : loadSchema.parse(JSON.parse(text));
        loads.get(release)?.push(load !== undefined && load.revision >= revision ? load : undefined);
      }
    }
    return loads;
  }

  private async readAll(): Promise<Record<"reports" | "seen", Record<string, string>>> {
    try {
      const answers = await this.redis.multi().hgetall(keys.proxies).hgetall(keys.proxiesSeen).exec();
      // What HGETALL answers; a batch does not type its answers.
      const [reports = {}, seen = {}] = (answers ?? []).map(([, hash]) => hash as Record<string, string>);
      return { reports, seen };
    } catch (error) {
      // While Redis was away nobody could report.
      this.observed.clear();
      throw error;
    }
  }

  /** Since when no other report was seen. */
  private sinceMs(id: string, mark: string): number {
    const known = this.observed.get(id);
    if (known?.mark === mark) return known.sinceMs;
    const sinceMs = this.monotonicMs();
    this.observed.set(id, { mark, sinceMs });
    return sinceMs;
  }
}

/** KEYS: reports hash, hash of when they came. ARGV: proxy, report. No two reports of a proxy are alike. */
const REPORT = `
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000)))
return 1`;

/**
 * KEYS: reports hash, hash of when they came, the proxy's loads, events stream. ARGV: proxy, when its last report came, the
 * events. Answer: 1, or 0 when another one has come.
 */
const REMOVE = `${ADD_EVENTS}
if (redis.call('HGET', KEYS[2], ARGV[1]) or '0') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3])
addEvents(KEYS[4], ARGV[3])
return 1`;
