import type { Database } from "../../core/redis/database.js";
import type { AlertRecord } from "../../core/records/alerts/alert-record.js";
import type { HostRecords } from "../../core/records/hosts/host-records.js";
import type { InstanceLoads, TimedLoads } from "../../core/records/scaling/instance-loads.js";
import type { SampleSeries, TimedSample } from "../../core/records/hosts/sample-series.js";
import type { ScaleDecision, ScaleDecisions } from "../../core/records/scaling/scale-decisions.js";
import type { ScaleRequests } from "../../core/records/scaling/scale-requests.js";
import type { ScaleSettings } from "../../core/records/releases/scale-settings.js";
import { PRODUCTION } from "../../core/records/routes/route-table.js";
import type { TrafficSeries } from "../../core/records/traffic/traffic-series.js";
import { releaseName } from "../../core/names.js";
import { keys } from "../../core/redis/keys.js";
import type { Action } from "../alerts/actions.js";
import { decide, isHigh, windowMsOf, type ScaleVerdict } from "./autoscaler.js";
import { CALM, calmAfter, MOST_COOLDOWNS, type Calm } from "./calm.js";
import type { Fleet } from "./fleet.js";
import { grownFrom, holdOf, judged, type Effort, type Growth } from "./growth.js";
import { peakOf, withLoad, type LoadHistory, type LoadPoint } from "./load-history.js";
import type { ScaledApps, ScaledRelease } from "./scaled-apps.js";
import { stretchOf } from "./stolen-time.js";

export interface AutoscalingOptions {
  readonly redis: Database;
  readonly apps: ScaledApps;
  readonly hosts: HostRecords;
  readonly series: SampleSeries;
  readonly loads: InstanceLoads;
  readonly traffic: Pick<TrafficSeries, "read">;
  readonly requests: ScaleRequests;
  readonly decisions: ScaleDecisions;
  /** Without one machines cannot be had. */
  readonly fleet: Fleet | undefined;
  /** ms since 1970, by the clock that gives samples their times. */
  readonly now: () => Promise<number>;
}

/** Samples older than this say nothing of now. */
const FRESH_MS = 5000;

const UNKNOWN = { mean: undefined, meanUsed: undefined };

/** What the hosts last reported. */
interface Told {
  readonly samples: readonly TimedSample[];
  readonly loads: readonly HostLoads[];
}

interface HostLoads extends TimedLoads {
  /** By what they must be multiplied to be what was wanted. */
  readonly stretch: number;
}

/** What is remembered of an app between two looks; a monitor that begins again waits until it knows enough. */
interface Memory {
  readonly release: number;
  readonly instances: number;
  readonly sizedAt: number | undefined;
  readonly changedAt: number;
  readonly askedAt: number | undefined;
  /** When it was said last that machines are missing. */
  readonly shortAt: number | undefined;
  /** Of which increase it was recorded last that it did not help: `futileAt` of its growth. */
  readonly futileToldOf: number | undefined;
  readonly calm: Calm;
  /** The last increase, unless it is known to have helped. */
  readonly growth: Growth | undefined;
  readonly history: LoadHistory;
}

/** The action `scale-out`, and the targets of the apps: at each look every app that has `scale` in its app.json is decided on. */
export class Autoscaling implements Action {
  private readonly memories = new Map<string, Memory>();

  constructor(private readonly options: AutoscalingOptions) {}

  async keep(alerts: readonly AlertRecord[]): Promise<void> {
    const apps = await this.options.apps.read();
    for (const app of this.memories.keys()) if (!apps.has(app)) this.memories.delete(app);
    if (apps.size === 0) return;
    const now = await this.options.now();
    const told = await this.told(now);
    const pending = new Set((await this.options.requests.waiting()).map(({ app }) => app));
    for (const [app, release] of apps)
      if (!pending.has(app)) await this.look(app, release, told, now, alerts[0]?.text);
  }

  /** By the machines that production may run on. */
  private async told(now: number): Promise<Told> {
    const records = (await this.options.hosts.list()).filter(({ roles }) => roles.includes("production"));
    const hosts = records.map(({ id }) => id);
    const [newest, loads] = await Promise.all([
      this.options.series.newest(hosts),
      this.options.loads.read(hosts),
    ]);
    const isFresh = ({ at }: { readonly at: number }): boolean => now - at < FRESH_MS;
    const samples = new Map([...newest].filter(([, sample]) => isFresh(sample)));
    return {
      samples: [...samples.values()],
      loads: loads.filter(isFresh).map((each) => {
        const sample = samples.get(each.host)?.sample;
        return { ...each, stretch: sample === undefined ? 1 : stretchOf(sample.cpu) };
      }),
    };
  }

  private async look(
    app: string,
    release: ScaledRelease,
    { samples, loads }: Told,
    now: number,
    alert: string | undefined,
  ): Promise<void> {
    const { scale: settings } = release;
    const known = remembered(this.memories.get(app), release, loads, now);
    const last = known.history.at(-1);
    const { mean: load, meanUsed: used } = last !== undefined && now - last.at < FRESH_MS ? last : UNKNOWN;
    const effort = await this.effort(app, known, { load, used }, settings, now);
    const growth = grown(known, effort, settings, now);
    const memory = { ...known, growth };
    const verdict = decide({
      now,
      instances: memory.instances,
      settings,
      load,
      peak: peakOf(memory.history, now, memory.calm.cooldowns * settings.cooldownSeconds * 1000),
      changedAt: memory.changedAt,
      calmCooldowns: memory.calm.cooldowns,
      effort,
      hold: holdOf(growth, settings.cooldownSeconds * 1000),
      askedAt: memory.askedAt,
      isReleasing: await this.isReleasing(app),
      alert,
      cpus: samples.reduce((sum, { sample }) => sum + sample.cpus, 0),
    });
    this.memories.set(app, await this.act(app, memory, { verdict, effort }, settings, now));
  }

  private async act(
    app: string,
    memory: Memory,
    { verdict, effort }: { readonly verdict: ScaleVerdict; readonly effort: Effort | undefined },
    settings: ScaleSettings,
    now: number,
  ): Promise<Memory> {
    const { release, instances: from, sizedAt, shortAt, growth, futileToldOf } = memory;
    if (verdict.kind === "stay") return memory;
    if (verdict.kind === "scale") {
      const { to, reason } = verdict;
      await this.options.requests.ask({ app, release, from, sizedAt, to, reason, at: now });
      const isJudgeable = to > from && effort !== undefined;
      return { ...memory, askedAt: now, growth: isJudgeable ? grownFrom(effort, growth) : growth };
    }
    if (verdict.kind === "futile") {
      if (growth?.futileAt === futileToldOf) return memory;
      const outcome = "not requested: more instances did not help";
      await this.record(app, { from, to: verdict.wanted, reason: verdict.reason, outcome }, now);
      return { ...memory, futileToldOf: growth?.futileAt };
    }
    if (shortAt !== undefined && now - shortAt < settings.cooldownSeconds * 1000) return memory;
    await this.askForMachine(app, from, verdict.wanted, verdict.reason, now);
    return { ...memory, shortAt: now };
  }

  private async askForMachine(
    app: string,
    from: number,
    wanted: number,
    reason: string,
    now: number,
  ): Promise<void> {
    const { fleet } = this.options;
    const outcome =
      fleet === undefined
        ? "more hosts are needed, but none can be added"
        : await fleet.grow("production", `${app}: ${reason}`).then(
            () => "a host was requested",
            (error: unknown) => `no host: ${error instanceof Error ? error.message : String(error)}`,
          );
    await this.record(app, { from, to: wanted, reason, outcome }, now);
  }

  private async record(
    app: string,
    decision: Pick<ScaleDecision, "from" | "to" | "reason" | "outcome">,
    now: number,
  ): Promise<void> {
    const at = new Date(now).toISOString();
    await this.options.decisions.add(app, { at, by: "autoscaler", process: "web", ...decision });
  }

  /** Answers are read only where they may matter: while more instances are wanted, or there are more that must prove themselves. */
  private async effort(
    app: string,
    { release, instances, growth }: Memory,
    { load, used }: { readonly load: number | undefined; readonly used: number | undefined },
    settings: ScaleSettings,
    now: number,
  ): Promise<Effort | undefined> {
    if (load === undefined || used === undefined) return undefined;
    const isGrown = growth !== undefined && instances > growth.before.instances;
    if (!isGrown && !isHigh(load, instances, settings)) return undefined;
    const from = now - windowMsOf(settings);
    const entries = await this.options.traffic.read(app, { from, to: now, stepSeconds: 1 });
    const name = releaseName(release);
    const answers = entries
      .flatMap(({ releases }) => releases)
      .filter((each) => each.release === name && each.track === PRODUCTION)
      .reduce((sum, { answersOk, answers4xx, answers5xx }) => sum + answersOk + answers4xx + answers5xx, 0);
    return { instances, used, answers };
  }

  private async isReleasing(app: string): Promise<boolean> {
    const locks = await this.options.redis.exists(keys.lock(app));
    return locks > 0;
  }
}

/** With what the newest loads say. Another release begins with another history. */
function remembered(
  before: Memory | undefined,
  { number, servers, scale, sizedAt }: ScaledRelease,
  loads: readonly HostLoads[],
  now: number,
): Memory {
  const known = before?.release === number ? before : undefined;
  const isSame = known?.instances === servers.length && known.sizedAt === sizedAt;
  const history = known?.history ?? [];
  const point = loadOf(
    servers.map(({ id }) => id),
    loads,
  );
  const isNews = point !== undefined && point.at > (history.at(-1)?.at ?? 0);
  return {
    release: number,
    instances: servers.length,
    sizedAt,
    changedAt: isSame ? known.changedAt : now,
    askedAt: isSame ? known.askedAt : undefined,
    shortAt: known?.shortAt,
    futileToldOf: known?.futileToldOf,
    calm: known === undefined ? CALM : calmOf(known, servers.length, scale, now),
    growth: known?.growth,
    history: isNews
      ? withLoad(history, point, {
          windowMs: windowMsOf(scale),
          keptMs: MOST_COOLDOWNS * scale.cooldownSeconds * 1000,
        })
      : history,
  };
}

function calmOf({ calm, instances: from }: Memory, to: number, settings: ScaleSettings, at: number): Calm {
  return from === to ? calm : calmAfter(calm, { from, to, at, cooldownMs: settings.cooldownSeconds * 1000 });
}

/** The last increase, judged as soon as a whole window shows what it has done, forgotten when it has not come or there are fewer than before. */
function grown(
  { growth, instances, changedAt, askedAt }: Memory,
  effort: Effort | undefined,
  settings: ScaleSettings,
  now: number,
): Growth | undefined {
  if (growth === undefined) return undefined;
  const { before, futileAt } = growth;
  if (instances < before.instances) return undefined;
  if (instances === before.instances)
    return futileAt === undefined && askedAt === undefined ? undefined : growth;
  if (effort === undefined || now - changedAt < windowMsOf(settings)) return growth;
  return judged(growth, effort, now);
}

/**
 * CPU of these instances together, percent of one processor. Those of which no host tells (they are new, or theirs is silent)
 * are taken to have as much as the others; undefined where nobody tells of any.
 */
function loadOf(
  instances: readonly string[],
  hosts: readonly HostLoads[],
): Pick<LoadPoint, "at" | "load" | "used"> | undefined {
  const told = hosts.flatMap(({ at, loads, stretch }) =>
    instances.flatMap((id) => {
      const used = loads[id];
      return used === undefined ? [] : [{ at, used, load: used * stretch }];
    }),
  );
  if (told.length === 0) return undefined;
  const share = instances.length / told.length;
  return {
    at: Math.max(...told.map(({ at }) => at)),
    load: told.reduce((sum, { load }) => sum + load, 0) * share,
    used: told.reduce((sum, { used }) => sum + used, 0) * share,
  };
}
