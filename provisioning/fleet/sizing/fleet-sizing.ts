import { toAppError } from "../../../core/errors/app-error.js";
import { Ticker } from "../../../core/loop/ticker.js";
import { SIZED_ROLES, type FleetHost, type SizedRole } from "../../../core/records/fleet/fleet-host.js";
import type { HostRecords } from "../../../core/records/hosts/host-records.js";
import type { SamplePoint, SampleSeries } from "../../../core/records/hosts/sample-series.js";
import type { FleetNeeds } from "../fleet-needs.js";
import type { FleetGrowth } from "./fleet-growth.js";
import { calmSecondsOf, decideSize, type HostLoad, type SizeView } from "./decide-size.js";

const TICK_MS = 5000;
const WINDOW_SECONDS = 15;
/** Of its windows so many must be known, for a time to count as known. */
const LEAST_COVERED = 0.8;
/** What a droplet took from its order to its first instance where none was made yet: its boot, and a minute for its configuration. */
const USUAL_BOOT_SECONDS = 120;

export interface FleetSizingOptions {
  readonly needs: FleetNeeds;
  readonly growth: FleetGrowth;
  readonly records: HostRecords;
  readonly series: SampleSeries;
  /** Whether some app has a release under way. */
  readonly isReleasing: () => Promise<boolean>;
  /** ms since 1970, by the clock that gives samples their times. */
  readonly now: () => Promise<number>;
}

/** Adds hosts to a role, and takes them away, by the CPU and memory of those that it has. */
export class FleetSizing {
  /** Role → its hosts at the last look, and when there were more last; the start of this server counts as such. */
  private readonly seen = new Map<
    SizedRole,
    { readonly names: readonly string[]; readonly fewerAt: number }
  >();
  private readonly ticker: Ticker;

  constructor(private readonly options: FleetSizingOptions) {
    this.ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.look(),
      onError: (error) =>
        options.needs.serverLog.warn({ err: toAppError(error) }, "could not size the fleet"),
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return { stop: async () => this.ticker.stop() };
  }

  private async look(): Promise<void> {
    const { needs, growth } = this.options;
    for (const role of SIZED_ROLES) {
      // Without a droplet more or fewer there is nothing to decide.
      if (needs.settings[role].max === 0) continue;
      const verdict = decideSize(await this.view(role));
      if (verdict.kind === "grow") await growth.grow(role, verdict.reason);
      if (verdict.kind === "shrink") await growth.shrink(role, verdict.host, verdict.reason);
    }
  }

  private async view(role: SizedRole): Promise<SizeView> {
    const { needs, isReleasing } = this.options;
    const { settings } = needs;
    const { min, max } = settings[role];
    const ours = (await needs.hosts.list()).filter(({ roles }) => roles.includes(role));
    const made = ours.filter(({ droplet }) => droplet !== undefined);
    const hosts = await this.loads(role, ours);
    const now = needs.clock.now();
    return {
      ...{ min, max, cpuTarget: settings.cpuTarget, cooldownSeconds: settings.cooldownSeconds },
      ...{ now, hosts, fewerAt: this.fewerAt(role, hosts, now) },
      changedAt: Math.max(0, ...made.map(({ since }) => Date.parse(since))),
      bootSeconds: bootSecondsOf(made) ?? USUAL_BOOT_SECONDS,
      isChanging: made.some(({ phase }) => phase !== "ready" && phase !== "failed"),
      isReleasing: await isReleasing(),
    };
  }

  private fewerAt(role: SizedRole, hosts: readonly HostLoad[], now: number): number {
    const names = hosts.map(({ name }) => name);
    const before = this.seen.get(role);
    const isFewer = before?.names.every((name) => names.includes(name)) !== true;
    const fewerAt = before === undefined || isFewer ? now : before.fewerAt;
    this.seen.set(role, { names, fewerAt });
    return fewerAt;
  }

  private async loads(role: SizedRole, ours: readonly FleetHost[]): Promise<HostLoad[]> {
    const { records, series, now, needs } = this.options;
    const to = await now();
    const names = (await records.list()).filter(({ roles }) => roles.includes(role)).map(({ id }) => id);
    const [newest, engineHosts] = await Promise.all([series.newest(names), needs.engine.list()]);
    const draining = new Set(engineHosts.filter((host) => host.draining).map(({ id }) => id));
    const loads: HostLoad[] = [];
    for (const name of names) {
      const host = ours.find((one) => one.name === name);
      const sample = newest.get(name)?.sample;
      if (sample === undefined || (host?.node !== undefined && draining.has(host.node))) continue;
      const calmMs = calmSecondsOf(needs.settings) * 1000;
      const points = await series.range(name, {
        from: to - calmMs,
        to,
        stepSeconds: WINDOW_SECONDS,
      });
      const load = loadOf(points, to);
      if (load === undefined) continue;
      const isKnown = points.length >= (LEAST_COVERED * calmMs) / (WINDOW_SECONDS * 1000);
      const instances = engineHosts.find(({ id }) => id === host?.node)?.instances.length ?? 0;
      loads.push({
        ...{ name, cpus: sample.cpus, memory: sample.memory.percent, instances, ...load },
        cpuPeak: isKnown ? Math.max(...points.map(({ mean }) => mean.cpu ?? 0)) : undefined,
        memoryPeak: isKnown ? Math.max(...points.map(({ mean }) => mean.memory ?? 0)) : undefined,
        madeAt: host?.droplet === undefined ? undefined : Date.parse(host.createdAt),
      });
    }
    return loads;
  }
}

/** Undefined for a host that has not reported just now. */
function loadOf(
  points: readonly SamplePoint[],
  now: number,
): Pick<HostLoad, "cpu" | "cpuBefore"> | undefined {
  // The last step is not over: the one before it is whole.
  const whole = points.filter(({ at }) => at + WINDOW_SECONDS * 1000 <= now);
  const last = whole.at(-1);
  if (last?.mean.cpu === undefined || now - last.at > 3 * WINDOW_SECONDS * 1000) return undefined;
  const before = whole.find(({ at }) => at >= last.at - 60_000);
  return { cpu: last.mean.cpu, cpuBefore: before?.mean.cpu };
}

/** Of the droplet that became ready last. */
function bootSecondsOf(made: readonly FleetHost[]): number | undefined {
  const [last] = made
    .filter(({ readyAfterSeconds }) => readyAfterSeconds !== undefined)
    .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  return last?.readyAfterSeconds;
}
