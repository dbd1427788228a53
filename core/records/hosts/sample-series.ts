import { z } from "zod";
import type { Database } from "../../redis/database.js";
import { groupBy } from "../../group-by.js";
import { redisTime } from "../../redis/connection.js";
import { keys } from "../../redis/keys.js";
import { METRIC_NAMES, METRICS, sampleSchema, type Metric, type Sample } from "./sample.js";

export interface TimedSample {
  /** ms since 1970, by Redis' clock, as all hosts are compared by it. */
  readonly at: number;
  readonly sample: Sample;
}

/** What is known of one metric, or of all but those that the host does not tell. */
export type Figures = Partial<Record<Metric, number>>;

/** A host over some seconds. */
export interface SamplePoint {
  /** When it begins, ms since 1970. */
  readonly at: number;
  /** How many samples it is made of. */
  readonly samples: number;
  readonly mean: Figures;
  readonly max: Figures;
}

/** In the order of `METRIC_NAMES`; null for what was not told. */
const rowSchema = z.array(z.number().nullable());
const minuteSchema = z.object({ v: z.literal(1), samples: z.number(), mean: rowSchema, max: rowSchema });
const secondSchema = z.object({ v: z.literal(1), sample: sampleSchema });

const MINUTE_MS = 60_000;
const DAY_SECONDS = 86_400;
/** An hour of seconds, 30 days of minutes: the newest so many entries, to within one node of a stream (100 entries). */
export const SECONDS_KEPT = 3600;
export const MINUTES_KEPT = 30 * 24 * 60;
const LIFE_SECONDS = 30 * DAY_SECONDS;

/** Hosts' samples: by the second for an hour, with their instances; by the minute for 30 days, the hosts' figures alone. */
export class SampleSeries {
  constructor(private readonly redis: Database) {}

  /** Throws `redis-unavailable`. */
  async append(host: string, sample: Sample): Promise<void> {
    const key = keys.sampleSeconds(host);
    const entry = JSON.stringify({ v: 1, sample });
    const batch = this.redis.multi().xadd(key, "MAXLEN", "~", SECONDS_KEPT, "*", "entry", entry);
    await batch.expire(key, LIFE_SECONDS).exec();
  }

  /** The newest sample of each host that has one. */
  async newest(hosts: readonly string[]): Promise<Map<string, TimedSample>> {
    const batch = this.redis.pipeline();
    for (const host of hosts) batch.xrevrange(keys.sampleSeconds(host), "+", "-", "COUNT", 1);
    const answers = (await batch.exec()) ?? [];
    const newest = new Map<string, TimedSample>();
    for (const [index, host] of hosts.entries()) {
      const [, rows] = answers[index] ?? [];
      // The answer of XREVRANGE, as ioredis types it outside of a pipeline.
      const [row] = (rows ?? []) as Row[];
      if (row !== undefined) newest.set(host, parseSecond(row));
    }
    return newest;
  }

  /** What was written after `cursor`, and the next cursor; without one the newest alone. */
  async since(
    host: string,
    cursor: string | undefined,
  ): Promise<{ readonly samples: readonly TimedSample[]; readonly cursor: string }> {
    const key = keys.sampleSeconds(host);
    const rows =
      cursor === undefined
        ? await this.redis.xrevrange(key, "+", "-", "COUNT", 1)
        : await this.redis.xrange(key, `(${cursor}`, "+");
    return { samples: rows.map(parseSecond), cursor: rows.at(-1)?.[0] ?? cursor ?? "0-0" };
  }

  /** From `from` on, before `to` (ms since 1970), oldest first: from the seconds, or from a minute's step on from the minutes. */
  async range(
    host: string,
    { from, to, stepSeconds }: { from: number; to: number; stepSeconds: number },
  ): Promise<SamplePoint[]> {
    const stepMs = stepSeconds * 1000;
    const points =
      stepMs < MINUTE_MS ? await this.seconds(host, from, to) : await this.minutes(host, from, to);
    return [...groupBy(points, ({ at }) => Math.floor(at / stepMs) * stepMs)].map(([at, same]) =>
      merged(at, same),
    );
  }

  /** Adds up the minutes that are over. Each is added up once, whenever and by whomever this is called. */
  async sumMinutes(host: string): Promise<void> {
    const key = keys.sampleMinutes(host);
    const present = minuteOf(await redisTime(this.redis));
    const [last] = await this.redis.xrevrange(key, "+", "-", "COUNT", 1);
    const from = last === undefined ? 0 : timeOf(last[0]) + MINUTE_MS;
    if (from >= present) return;
    const minutes = groupBy(await this.seconds(host, from, present), (point) => minuteOf(point.at));
    const entries = [...minutes].flatMap(([at, same]) => {
      const { samples, mean, max } = merged(at, same);
      return [String(at), JSON.stringify({ v: 1, samples, mean: rowOf(mean), max: rowOf(max) })];
    });
    await this.redis.eval(ADD_MINUTES, 1, key, MINUTES_KEPT, LIFE_SECONDS, ...entries);
  }

  async remove(host: string): Promise<void> {
    await this.redis.del(keys.sampleSeconds(host), keys.sampleMinutes(host));
  }

  /** Seconds that are still there stand for a minute that was not added up yet. */
  private async minutes(host: string, from: number, to: number): Promise<SamplePoint[]> {
    const rows = await this.redis.xrange(keys.sampleMinutes(host), String(minuteOf(from)), String(to - 1));
    const points = rows.map(parseMinute);
    const open = (points.at(-1)?.at ?? minuteOf(from) - MINUTE_MS) + MINUTE_MS;
    if (open >= to) return points;
    const last = groupBy(await this.seconds(host, open, to), ({ at }) => minuteOf(at));
    return [...points, ...[...last].map(([at, same]) => merged(at, same))];
  }

  private async seconds(host: string, from: number, to: number): Promise<SamplePoint[]> {
    const rows = await this.redis.xrange(keys.sampleSeconds(host), String(from), String(to - 1));
    return rows.map((row) => {
      const { at, sample } = parseSecond(row);
      const figures = figuresOf((name) => METRICS[name](sample));
      return { at, samples: 1, mean: figures, max: figures };
    });
  }
}

/**
 * KEYS: minutes. ARGV: entries kept, seconds to live, then a minute (ms since 1970) and its entry, ..., oldest first. A minute
 * that somebody else has added meanwhile is left out. Answer: 1.
 */
const ADD_MINUTES = `
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local newest = last and tonumber(string.match(last[1], '%d+')) or -1
for i = 3, #ARGV, 2 do
  if tonumber(ARGV[i]) > newest then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], ARGV[i] .. '-0', 'entry', ARGV[i + 1])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1`;

type Row = [id: string, fields: string[]];

function merged(at: number, points: readonly SamplePoint[]): SamplePoint {
  const samples = points.reduce((sum, point) => sum + point.samples, 0);
  const mean = figuresOf((name) => {
    const told = points.filter((point) => point.mean[name] !== undefined);
    const weight = told.reduce((sum, point) => sum + point.samples, 0);
    const sum = told.reduce((all, point) => all + (point.mean[name] ?? 0) * point.samples, 0);
    return weight === 0 ? undefined : Math.round((sum / weight) * 100) / 100;
  });
  const max = figuresOf((name) => {
    const told = points.flatMap((point) => point.max[name] ?? []);
    return told.length === 0 ? undefined : Math.max(...told);
  });
  return { at, samples, mean, max };
}

function figuresOf(valueOf: (name: Metric) => number | undefined): Figures {
  const figures: Figures = {};
  for (const name of METRIC_NAMES) {
    const value = valueOf(name);
    if (value !== undefined) figures[name] = value;
  }
  return figures;
}

function rowOf(figures: Figures): (number | null)[] {
  return METRIC_NAMES.map((name) => figures[name] ?? null);
}

function parseSecond([id, fields]: Row): TimedSample {
  return { at: timeOf(id), sample: secondSchema.parse(JSON.parse(fields[1] ?? "")).sample };
}

function parseMinute([id, fields]: Row): SamplePoint {
  const { samples, mean, max } = minuteSchema.parse(JSON.parse(fields[1] ?? ""));
  const figures = (row: (number | null)[]): Figures =>
    figuresOf((name) => row[METRIC_NAMES.indexOf(name)] ?? undefined);
  return { at: timeOf(id), samples, mean: figures(mean), max: figures(max) };
}

function timeOf(id: string): number {
  return Number(id.split("-")[0]);
}

function minuteOf(at: number): number {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS;
}
