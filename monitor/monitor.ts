import type { Database } from "../core/redis/database.js";
import type { Home } from "../core/home.js";
import type { Log } from "../core/log.js";
import type { MonitorSettings } from "../core/settings/monitor-settings.js";
import { AlertRecords } from "../core/records/alerts/alert-records.js";
import type { HostRole, Inventory } from "../core/records/hosts/host-record.js";
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
import { fullInventory, basicInventory } from "./sampling/inventory.js";
import { MonitorLead } from "./monitor-lead.js";
import { Sampler, type Taken } from "./sampling/sampler.js";
import { ScaledApps } from "./autoscaling/scaled-apps.js";

export interface MonitorOptions {
  readonly home: Home;
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
  private readonly busy = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();
  private ticks = 0;

  constructor(private readonly options: MonitorOptions) {
    const { home, redis, settings, host, actions, log } = options;
    this.sampler = new Sampler(new HostReadings(home));
    this.series = new SampleSeries(redis);
    this.loads = new InstanceLoads(redis);
    this.scaledApps = new ScaledApps(new RouteTables(redis));
    this.loop = new AlertLoop({
      settings,
      hosts: new HostRecords(redis),
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
    this.unlessBusy("taking the inventory", async () =>
      this.introduce(startedAt, await fullInventory(this.options.path, this.stopping.signal)),
    );
    const timer = setInterval(() => this.tick(), TICK_MS);
    return {
      stop: async () => {
        clearInterval(timer);
        this.stopping.abort(new Error("the monitor stops"));
        while (this.busy.size > 0) await Promise.all(this.busy.values());
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
      requests: new ScaleRequests(redis),
      decisions: new ScaleDecisions(redis),
      fleet,
      now: async () => redisTime(redis),
    });
  }

  private async introduce(startedAt: string, inventory: Inventory): Promise<void> {
    const { redis, host, roles } = this.options;
    await new HostRecords(redis).save({ v: 1, id: host, roles: [...roles], startedAt, inventory });
  }

  /** What takes longer than a second (Redis is away, say) misses its next turn and holds up nothing else. */
  private tick(): void {
    const { host } = this.options;
    this.unlessBusy("reading the counters", async () => {
      const taken = await this.sampler.sample();
      if (taken !== undefined) this.unlessBusy("sampling", async () => this.keep(taken));
    });
    if (this.ticks++ % MINUTE_TICKS === 0)
      this.unlessBusy("adding up minutes", async () => this.series.sumMinutes(host));
    this.unlessBusy("looking at the rules", async () => this.loop.look());
  }

  /** Of the loads only what the autoscaler looks at. */
  private async keep({ sample, loadsOf }: Taken): Promise<void> {
    const { host } = this.options;
    await this.series.append(host, sample);
    const loads = loadsOf(await this.scaledApps.read());
    if (Object.keys(loads).length > 0) await this.loads.write(host, loads);
  }

  private unlessBusy(what: string, work: () => Promise<void>): void {
    if (this.busy.has(what)) return;
    const done = work()
      .catch((error: unknown) => this.warn(what, error))
      .finally(() => this.busy.delete(what));
    this.busy.set(what, done);
  }

  private warn(what: string, error: unknown): void {
    this.options.log.warn({ err: error }, `monitor: ${what}`);
  }
}
