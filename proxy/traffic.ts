import type { Database } from "../core/redis/database.js";
import type { Log } from "../core/log.js";
import {
  TrafficSeries,
  type AppTraffic,
  type BaselineChange,
} from "../core/records/traffic/traffic-series.js";
import { counterMarkSchema, increments, slotMarkSchema, type Baseline, type Growth } from "./increments.js";
import type { Proxy } from "./proxy.js";

export interface TrafficOptions {
  readonly proxy: Proxy;
  readonly redis: Database;
  /** This proxy's name in Redis, which is the same after a restart. */
  readonly id: string;
  /** Whether the app exists. For one that was destroyed nothing is written: a new app of that name would get its traffic. */
  readonly isThere: (app: string) => boolean;
  readonly log: Log;
}

const STEP_MS = 950;
const ALL_MS = 3_600_000;
/** After a longer pause, "lately" (10 s) may leave something out. */
const LONGEST_PAUSE_MS = 8000;
const MINUTE_MS = 60_000;
/** Redis is blocked during a batch: 1,000 apps at once take 140 ms. */
const APPS_IN_A_BATCH = 50;

/**
 * Writes what a proxy counts to the series, once a second. The counters' values are written along with it, so that a server
 * that restarts continues where the last one stopped.
 */
export class TrafficRecorder {
  private readonly series: TrafficSeries;
  /** Unknown at first and after an error, since a write that failed may have been done all the same. */
  private baseline: Baseline | undefined;
  private triedAt = 0;
  private writtenAt = 0;
  private allAt = 0;
  private minute = 0;
  private running: Promise<void> | undefined;

  constructor(private readonly options: TrafficOptions) {
    this.series = new TrafficSeries(options.redis);
  }

  /** Begins to record, if a second has passed. A failure is logged, and the next call makes up for it. */
  tick(now = Date.now()): void {
    if (this.running !== undefined || (now >= this.triedAt && now - this.triedAt < STEP_MS)) return;
    this.triedAt = now;
    this.running = this.record(now)
      .catch((error: unknown) => {
        this.baseline = undefined;
        this.options.log.warn({ err: error }, "recording the traffic");
      })
      .finally(() => (this.running = undefined));
  }

  /** Resolves when nothing is being recorded. */
  async idle(): Promise<void> {
    await this.running;
  }

  /** Once, now. */
  async record(now: number): Promise<void> {
    const { proxy, id, isThere } = this.options;
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.minute) await this.series.sumMinutes(id);
    this.minute = minute;
    const all =
      this.baseline === undefined ||
      now - this.writtenAt > LONGEST_PAUSE_MS ||
      Math.abs(now - this.allAt) > ALL_MS;
    this.baseline ??= parseBaseline(await this.series.baseline(id));
    const growth = increments(await proxy.counts(all), this.baseline, all);
    for (const { traffic, change } of batchesOf(growth)) {
      const kept = traffic.filter(({ app }) => isThere(app));
      await this.series.append(id, kept, change);
    }
    this.baseline = after(this.baseline, growth);
    this.writtenAt = now;
    if (all) this.allAt = now;
  }
}

/** Fields of the hash: counters begin with `count `, slots with `slot `. */
function parseBaseline(fields: ReadonlyMap<string, string>): Baseline {
  const named = (kind: string) =>
    [...fields]
      .filter(([field]) => field.startsWith(kind))
      .map(([field, text]) => [field.slice(kind.length), JSON.parse(text) as unknown] as const);
  return {
    counters: new Map(named("count ").map(([name, mark]) => [name, counterMarkSchema.parse(mark)])),
    slots: new Map(named("slot ").map(([name, mark]) => [name, slotMarkSchema.parse(mark)])),
  };
}

interface Batch {
  readonly traffic: AppTraffic[];
  readonly change: { readonly set: Map<string, string>; readonly forget: string[] } & BaselineChange;
}

/** Some apps per batch, each with its traffic and its counters' values, so that a crash between two batches loses nothing. */
function batchesOf({ traffic, changed, appOf, gone }: Growth): Batch[] {
  const batches: Batch[] = [];
  const placeOf = new Map<string, Batch>();
  const batchOf = (app: string): Batch => {
    const known = placeOf.get(app);
    if (known !== undefined) return known;
    if (placeOf.size % APPS_IN_A_BATCH === 0)
      batches.push({ traffic: [], change: { set: new Map(), forget: [] } });
    const batch = batches.at(-1) as Batch; // One was just made if there was none.
    placeOf.set(app, batch);
    return batch;
  };
  for (const some of traffic) batchOf(some.app).traffic.push(some);
  for (const [kind, marks] of [
    ["count", changed.counters],
    ["slot", changed.slots],
  ] as const)
    for (const [name, mark] of marks)
      batchOf(appOf.get(name) ?? "").change.set.set(`${kind} ${name}`, JSON.stringify(mark));
  const forget = [
    ...gone.counters.map((name) => `count ${name}`),
    ...gone.slots.map((name) => `slot ${name}`),
  ];
  if (forget.length > 0) batches.push({ traffic: [], change: { set: new Map(), forget } });
  return batches;
}

function after(before: Baseline, { changed, gone }: Growth): Baseline {
  const counters = new Map([...before.counters, ...changed.counters]);
  const slots = new Map([...before.slots, ...changed.slots]);
  for (const name of gone.counters) counters.delete(name);
  for (const name of gone.slots) slots.delete(name);
  return { counters, slots };
}
