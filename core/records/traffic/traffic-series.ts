import { z } from "zod";
import type { Batch, Database } from "../../redis/database.js";
import { AppError } from "../../errors/app-error.js";
import { groupBy } from "../../group-by.js";
import { keys } from "../../redis/keys.js";
import { parseRecord } from "../../redis/parse-record.js";
import { FIGURES, noTraffic, sumOf, trafficSchema, type Traffic } from "./traffic.js";

const releaseTrafficSchema = trafficSchema.extend({
  /** `vN` */
  release: z.string(),
  track: z.string(),
  /** By whoever asked for the release: they are no visitors that chance has sent. In entries by the second alone. */
  asked: z.literal(true).optional(),
});

/** What visitors of a release on a track did. */
export type ReleaseTraffic = z.infer<typeof releaseTrafficSchema>;

const entrySchema = z.object({
  v: z.literal(1),
  /** Who counted. */
  proxy: z.string(),
  /** The minute's beginning, ms since 1970. A second's entry is as old as its id says. */
  at: z.number().optional(),
  releases: z.array(releaseTrafficSchema),
});

export interface TrafficEntry {
  /** ms since 1970. */
  readonly at: number;
  readonly proxy: string;
  readonly releases: readonly ReleaseTraffic[];
}

export interface AppTraffic extends ReleaseTraffic {
  readonly app: string;
}

/** How far a proxy's counters stood. */
export interface BaselineChange {
  /** Counter → a text that only the proxy understands. */
  readonly set: ReadonlyMap<string, string>;
  readonly forget: readonly string[];
}

const MINUTE_MS = 60_000;
const SECONDS_KEPT_MS = 3_600_000;
const MINUTES_KEPT_MS = 30 * 86_400_000;
/** Longer than it is kept: a proxy that was away may have minutes to add up. */
const SECONDS_LIFE = 2 * 86_400;
const LIFE = MINUTES_KEPT_MS / 1000;

/** What proxies counted, app by app: as a series by the second and by the minute, and in all. */
export class TrafficSeries {
  constructor(private readonly redis: Database) {}

  /**
   * Writes what a proxy counted and how far its counters stand now: both or neither. When it throws it may have been
   * written all the same: the baseline must be read again. Throws `redis-unavailable`.
   */
  async append(proxy: string, traffic: readonly AppTraffic[], baseline: BaselineChange): Promise<void> {
    const now = await this.now();
    const batch = this.redis.multi();
    for (const [app, releases] of groupBy(traffic, ({ app }) => app)) {
      const entry = entrySchema.parse({ v: 1, proxy, releases });
      add(batch, keys.trafficSeconds(app), entry, now - SECONDS_KEPT_MS, SECONDS_LIFE);
      batch.hsetnx(keys.trafficUnsummed(proxy), app, String(minuteOf(now)));
      for (const release of releases) addTotals(batch, app, release, now);
      batch.zremrangebyscore(keys.trafficReleases(app), "-inf", now - MINUTES_KEPT_MS);
      batch.expire(keys.trafficReleases(app), LIFE);
    }
    if (baseline.set.size > 0) batch.hset(keys.trafficBaseline(proxy), Object.fromEntries(baseline.set));
    if (baseline.forget.length > 0) batch.hdel(keys.trafficBaseline(proxy), ...baseline.forget);
    batch.expire(keys.trafficBaseline(proxy), LIFE);
    await batch.exec();
  }

  /** How far a proxy's counters stood, as it said. */
  async baseline(proxy: string): Promise<Map<string, string>> {
    return new Map(Object.entries(await this.redis.hgetall(keys.trafficBaseline(proxy))));
  }

  /** Adds up a proxy's seconds of minutes that are over. Each is added up once, whenever this is called. */
  async sumMinutes(proxy: string): Promise<void> {
    const present = minuteOf(await this.now());
    const unsummed = await this.redis.hgetall(keys.trafficUnsummed(proxy));
    for (const [app, from] of Object.entries(unsummed)) {
      if (Number(from) >= present) continue;
      const all = await this.entries(keys.trafficSeconds(app), from, "+");
      const own = all.filter((entry) => entry.proxy === proxy);
      const over = own.filter(({ at }) => at < present);
      const batch = this.redis.multi();
      for (const [at, entries] of groupBy(over, (entry) => minuteOf(entry.at))) {
        const entry = { v: 1, proxy, at, releases: merged(entries.flatMap(({ releases }) => releases)) };
        add(batch, keys.trafficMinutes(app), entry, present - MINUTES_KEPT_MS, LIFE);
      }
      if (own.length > over.length) batch.hset(keys.trafficUnsummed(proxy), app, String(present));
      else batch.hdel(keys.trafficUnsummed(proxy), app);
      await batch.exec();
    }
  }

  /** An app's entries from `from` on, before `to` (ms since 1970), oldest first; minutes that are not over too. */
  async read(
    app: string,
    { from, to, stepSeconds }: { from: number; to: number; stepSeconds: 1 | 60 },
  ): Promise<TrafficEntry[]> {
    if (stepSeconds === 1) return this.entries(keys.trafficSeconds(app), String(from), String(to - 1));
    return this.readMinutes(app, minuteOf(from), to);
  }

  /** What was written after `cursor`, by the second, and the next cursor; without one nothing, and where the series ends. */
  async since(
    app: string,
    cursor: string | undefined,
  ): Promise<{ readonly entries: readonly TrafficEntry[]; readonly cursor: string }> {
    const key = keys.trafficSeconds(app);
    if (cursor === undefined) {
      const [last] = await this.redis.xrevrange(key, "+", "-", "COUNT", "1");
      return { entries: [], cursor: last?.[0] ?? "0-0" };
    }
    const rows = await this.redis.xrange(key, `(${cursor}`, "+");
    return { entries: rows.map((row) => parseEntry(key, row)), cursor: rows.at(-1)?.[0] ?? cursor };
  }

  /** All that was ever counted of the releases that had traffic in the last 30 days. */
  async totals(app: string): Promise<ReleaseTraffic[]> {
    const names = await this.redis.zrange(keys.trafficReleases(app), "0", "-1");
    return Promise.all(
      names.map(async (name) => {
        const [release = "", track = ""] = name.split(" ");
        const key = keys.trafficTotals(app, release, track);
        return { release, track, ...parseTotals(key, await this.redis.hgetall(key)) };
      }),
    );
  }

  async remove(app: string): Promise<void> {
    const names = await this.redis.zrange(keys.trafficReleases(app), "0", "-1");
    const totals = names.map((name) => {
      const [release = "", track = ""] = name.split(" ");
      return keys.trafficTotals(app, release, track);
    });
    await this.redis.del(
      keys.trafficSeconds(app),
      keys.trafficMinutes(app),
      keys.trafficReleases(app),
      ...totals,
    );
  }

  /** Of a proxy that is gone: what it has still to add up is added up, and how far it had counted is forgotten. */
  async removeProxy(proxy: string): Promise<void> {
    await this.sumMinutes(proxy);
    await this.redis.del(keys.trafficBaseline(proxy), keys.trafficUnsummed(proxy));
  }

  private async readMinutes(app: string, from: number, to: number): Promise<TrafficEntry[]> {
    // One that was added up late stands after later ones. What is added up just now is still there by the second.
    const minutes = await this.entries(keys.trafficMinutes(app), String(from), "+");
    const summed = new Set(minutes.map(({ proxy, at }) => `${at} ${proxy}`));
    const seconds = await this.entries(keys.trafficSeconds(app), String(from), String(to - 1));
    const open = seconds
      .map((entry) => ({ ...entry, at: minuteOf(entry.at) }))
      .filter(({ proxy, at }) => !summed.has(`${at} ${proxy}`));
    const added = [...groupBy(open, ({ at, proxy }) => `${at} ${proxy}`).values()].map((entries) => ({
      at: entries[0]?.at ?? 0,
      proxy: entries[0]?.proxy ?? "",
      releases: merged(entries.flatMap(({ releases }) => releases)),
    }));
    return [...minutes, ...added]
      .filter(({ at }) => at >= from && at < to)
      .sort((first, second) => first.at - second.at);
  }

  private async entries(key: string, from: string, to: string): Promise<TrafficEntry[]> {
    return (await this.redis.xrange(key, from, to)).map((row) => parseEntry(key, row));
  }

  /** Redis' own clock, which gives the entries their ids. */
  private async now(): Promise<number> {
    const [seconds = 0, microseconds = 0] = await this.redis.time();
    return seconds * 1000 + Math.floor(microseconds / 1000);
  }
}

/** Parts of the same release and track made one, whoever asked among them. */
export function merged(parts: readonly ReleaseTraffic[]): ReleaseTraffic[] {
  return [...groupBy(parts, ({ release, track }) => `${release} ${track}`).values()].map((same) => ({
    release: same[0]?.release ?? "",
    track: same[0]?.track ?? "",
    ...sumOf(same),
  }));
}

function add(batch: Batch, key: string, entry: object, keepFrom: number, life: number): void {
  batch.xadd(key, "MINID", "~", String(Math.max(0, keepFrom)), "*", "entry", JSON.stringify(entry));
  batch.expire(key, life);
}

function addTotals(batch: Batch, app: string, traffic: ReleaseTraffic, now: number): void {
  const { release, track, latencies } = traffic;
  const key = keys.trafficTotals(app, release, track);
  for (const figure of FIGURES) if (traffic[figure] > 0) batch.hincrby(key, figure, traffic[figure]);
  for (const [bucket, answers] of Object.entries(latencies)) batch.hincrby(key, bucket, answers);
  batch.expire(key, LIFE);
  batch.zadd(keys.trafficReleases(app), now, `${release} ${track}`);
}

function parseTotals(key: string, sums: Record<string, string>): Traffic {
  const total = noTraffic();
  for (const figure of FIGURES) total[figure] = Number(sums[figure] ?? 0);
  for (const [name, sum] of Object.entries(sums)) if (/^\d+$/.test(name)) total.latencies[name] = Number(sum);
  const parsed = trafficSchema.safeParse(total);
  if (!parsed.success) throw new AppError("record-unreadable", { key }, { cause: parsed.error });
  return parsed.data;
}

function parseEntry(key: string, [id, fields]: [id: string, fields: string[]]): TrafficEntry {
  const { proxy, releases, at } = parseRecord(entrySchema, fields[1] ?? "", `${id} of ${key}`);
  return { at: at ?? Number(id.split("-")[0]), proxy, releases };
}

function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS;
}
