import { TrafficSeries } from "../core/records/traffic/traffic-series.js";
import type { Database } from "../core/redis/database.js";
import type { Home } from "../core/home.js";
import type { Log } from "../core/log.js";
import { PerKey } from "../core/loop/per-key.js";
import { Ticker } from "../core/loop/ticker.js";
import type { MonitorSettings } from "../core/settings/monitor-settings.js";
import { AlertRecords } from "../core/records/alerts/alert-records.js";
import type { HostRole, Inventory } from "../core/records/hosts/host-record.js";
import { FleetHosts } from "../core/records/fleet/fleet-hosts.js";
import { HostRecords } from "../core/records/hosts/host-records.js";
import { InstanceLoads } from "../core/records/scaling/instance-loads.js";
import { RouteTables } from "../core/records/routes/route-tables.js";
import { SampleSeries } from "../core/records/hosts/sample-series.js";
import { ScaleDecisions } from "../core/records/scaling/scale-decisions.js";
import { ScaleRequests } from "../core/records/scaling/scale-requests.js";
import { redisTime } from "../core/redis/connection.js";
import type { Actions } from "./alerts/actions.js";
import { AlertLoop } from "./alerts/alert-loop.js";
import { Autoscaling } from "./autoscaling/autoscaling.js";
import { DrainCanary } from "./alerts/drain-canary.js";
import type { Fleet } from "./autoscaling/fleet.js";
import { HostReadings } from "./sampling/host-readings.js";
import type { InstanceUsage } from "./sampling/instance-usage.js";
import { fullInventory, basicInventory } from "./sampling/inventory.js";
import { MonitorLead } from "./monitor-lead.js";
import { Sampler, type Taken } from "./sampling/sampler.js";
import { ScaledApps } from "./autoscaling/scaled-apps.js";

export interface MonitorOptions {
  readonly home: Home;
  readonly usage: InstanceUsage;
  readonly redis: Database;
  readonly settings: MonitorSettings;
  /** This host's name, the same after a restart. */
  readonly host: string;
  readonly roles: readonly HostRole[];
  /** Beyond draining the canary and scaling. */
  readonly actions: Actions;
  readonly fleet?: Fleet;
  /** PATH of the programs that know what machine this is. */
  readonly path: string;
  readonly log: Log;
}

const TICK_MS = 1000;
const MINUTE_TICKS = 60;

/** The `monitor` role: samples this host once a second, and looks at the rules for all hosts while no other monitor does. */
export class Monitor {
  private readonly sampler: Sampler;
  private readonly series: SampleSeries;
  private readonly loads: InstanceLoads;
  private readonly scaledApps: ScaledApps;
  private readonly loop: AlertLoop;
  /** What takes longer than a second (Redis is away, say) misses its next turn and holds up nothing else. */
  private readonly works = new PerKey({ onError: (error, what) => this.warn(what, error) });
  private ticks = 0;

  constructor(private readonly options: MonitorOptions) {
    const { home, usage, redis, settings, host, actions, log } = options;
    this.sampler = new Sampler(new HostReadings(home, usage));
    this.series = new SampleSeries(redis);
    this.loads = new InstanceLoads(redis);
    this.scaledApps = new ScaledApps(new RouteTables(redis));
    this.loop = new AlertLoop({
      settings,
      hosts: new HostRecords(redis),
      fleet: new FleetHosts(redis),
      series: this.series,
      alerts: new AlertRecords(redis),
      lead: new MonitorLead(redis, host),
      actions: {
        "drain-canary": new DrainCanary(redis, host),
        "scale-out": this.autoscaling(),
        ...actions,
      },
      now: async () => redisTime(redis),
      log,
    });
  }

  /** Resolves once the host is known. */
  async start(): Promise<{ stop(): Promise<void> }> {
    const startedAt = new Date(await redisTime(this.options.redis)).toISOString();
    await this.introduce(startedAt, basicInventory());
    this.works.runIfIdle("taking the inventory", async (signal) =>
      this.introduce(startedAt, await fullInventory(this.options.path, signal)),
    );
    const ticker = new Ticker({
      everyMs: TICK_MS,
      job: () => this.tick(),
      onError: (error) => this.warn("a tick", error),
    });
    ticker.start();
    return {
      stop: async () => {
        await ticker.stop();
        await this.works.stop();
        this.sampler.close();
        await this.loop.stop().catch((error: unknown) => this.warn("stopping", error));
      },
    };
  }

  private autoscaling(): Autoscaling {
    const { redis, fleet } = this.options;
    return new Autoscaling({
      redis,
      apps: this.scaledApps,
      hosts: new HostRecords(redis),
      series: this.series,
      loads: this.loads,
      traffic: new TrafficSeries(redis),
      requests: new ScaleRequests(redis),
      decisions: new ScaleDecisions(redis),
      fleet,
      now: async () => redisTime(redis),
    });
  }

  private async introduce(startedAt: string, inventory: Inventory): Promise<void> {
    const { redis, host, roles } = this.options;
    await new HostRecords(redis).update(host, (before) => ({
      ...before,
      ...{ v: 1 as const, id: host, roles: [...roles], startedAt, inventory },
    }));
  }

  private tick(): void {
    const { host } = this.options;
    this.works.runIfIdle("reading the counters", async () => {
      const taken = await this.sampler.sample();
      if (taken !== undefined) this.works.runIfIdle("sampling", async () => this.keep(taken));
    });
    if (this.ticks++ % MINUTE_TICKS === 0)
      this.works.runIfIdle("summing up minutes", async () => this.series.sumMinutes(host));
    this.works.runIfIdle("checking the rules", async () => this.loop.look());
  }

  /** Keeps only the loads that the autoscaler needs. */
  private async keep({ sample, loadsOf }: Taken): Promise<void> {
    const { host } = this.options;
    await this.series.append(host, sample);
    const loads = loadsOf(await this.scaledApps.read());
    if (Object.keys(loads).length > 0) await this.loads.write(host, loads);
  }

  private warn(what: string, error: unknown): void {
    this.options.log.warn({ err: error }, `monitor: ${what} failed`);
  }
}
