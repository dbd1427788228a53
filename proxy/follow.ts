import type { Redis } from "ioredis";
import type { Log } from "../core/log.js";
import { isAlert } from "../core/records/is-alert.js";
import { ProxyReports, type ReleaseLoad } from "../core/records/proxy-reports.js";
import { CANARY, isWatched, PRODUCTION, type RouteTable } from "../core/records/route-table.js";
import { RouteTables } from "../core/records/route-tables.js";
import { subscriberOf } from "../core/redis/connection.js";
import { KeyWatch } from "../core/redis/key-watch.js";
import { keys } from "../core/redis/keys.js";
import type { AppRoutes, Proxy } from "./proxy.js";
import { releaseKey, routesOf, trackKey } from "./routes-of.js";
import { TrafficRecorder } from "./traffic.js";

export interface FollowOptions {
  readonly proxy: Proxy;
  readonly redis: Redis;
  /** Name of this proxy in Redis; the same after a restart. */
  readonly id: string;
  readonly domain: string;
  /** The app that a bare host goes to; undefined: the only one, if there is just one. */
  readonly defaultApp: string | undefined;
  /** Connections that a release (`APP/vN`) has beside those that the proxy counts. */
  readonly openBeside: (release: string) => number;
  readonly log: Log;
}

const TICK_MS = 1000;

/**
 * Keeps a proxy as the route tables say: on each change, and once a second in case one was missed. Tells Redis which
 * revision is applied and what is still open on releases that drain. While Redis is away the last routes stay.
 */
export class Follower {
  private readonly tables: RouteTables;
  private readonly reports: ProxyReports;
  private readonly traffic: TrafficRecorder;
  private readonly known = new Map<string, RouteTable>();
  private revision = 0;
  private isAlert = false;
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = false;

  constructor(private readonly options: FollowOptions) {
    this.tables = new RouteTables(options.redis);
    this.reports = new ProxyReports(options.redis);
    this.traffic = new TrafficRecorder(options);
  }

  /** Follows until `stop` of the answer is called. */
  async start(): Promise<{ stop(): Promise<void> }> {
    const subscriber = subscriberOf(this.options.redis);
    subscriber.on("error", () => undefined);
    subscriber.on("message", () => this.wake());
    // Whatever was missed while the connection was gone: begin anew, which changes nothing where nothing changed.
    subscriber.on("ready", () => {
      this.revision = 0;
      this.wake();
    });
    await subscriber.subscribe(keys.routesChannel);
    const alert = new KeyWatch(this.options.redis, keys.alert, () => this.wake());
    await alert.start();
    const timer = setInterval(() => this.wake(), TICK_MS);
    return {
      stop: async () => {
        this.stopped = true;
        clearInterval(timer);
        subscriber.disconnect();
        alert.stop();
        await this.running;
        await this.traffic.idle();
      },
    };
  }

  /** One step at a time; a wake-up during a step makes another one follow. */
  private wake(): void {
    if (this.stopped) return;
    if (this.running !== undefined) {
      this.again = true;
      return;
    }
    this.running = this.step()
      .catch((error: unknown) => this.options.log.warn({ err: error }, "following the routes"))
      .finally(() => {
        this.running = undefined;
        if (!this.again) return;
        this.again = false;
        this.wake();
      });
  }

  private async step(): Promise<void> {
    try {
      await this.obeyAlert();
      const { revision, changes } = await this.tables.changedSince(this.revision);
      if (changes.size > 0) await this.apply(changes);
      this.revision = revision;
    } catch (error) {
      // It goes on as it did, and leads visitors where they are to go no more: nobody may take it for gone.
      await this.report().catch(() => undefined);
      throw error;
    }
    await this.report();
    await this.options.proxy.sweep();
    await this.reportLoads();
    // Routes do not wait for it.
    this.traffic.tick();
  }

  private async report(): Promise<void> {
    const leaving = [...(await this.options.proxy.leaving())];
    await this.reports.report(this.options.id, { seenAt: Date.now(), revision: this.revision, leaving });
  }

  /** `sluice:alert`, whoever set it: `yes` takes every canary out of the traffic. */
  private async obeyAlert(): Promise<void> {
    const isNow = await isAlert(this.options.redis);
    if (isNow === this.isAlert) return;
    this.isAlert = isNow;
    const withCanary = [...this.known].filter(([, { tracks }]) => tracks[CANARY] !== undefined);
    try {
      if (withCanary.length > 0) await this.apply(new Map(withCanary));
    } catch (error) {
      this.isAlert = !isNow;
      throw error;
    }
    this.options.log.info({ alert: isNow, canaries: withCanary.length }, "alert");
  }

  private async apply(changes: ReadonlyMap<string, RouteTable | undefined>): Promise<void> {
    const routes = new Map<string, AppRoutes | undefined>();
    for (const [app, table] of changes) {
      if (table === undefined) this.known.delete(app);
      else this.known.set(app, table);
      routes.set(app, table === undefined ? undefined : routesOf(table, this.options.domain, this.isAlert));
    }
    await this.options.proxy.apply(routes, this.fallback());
  }

  private fallback(): string | undefined {
    const [only] = this.known.size === 1 ? this.known.keys() : [];
    const app = this.options.defaultApp ?? only;
    return app === undefined ? undefined : trackKey(app, PRODUCTION);
  }

  private async reportLoads(): Promise<void> {
    const watched = [...this.known.values()].flatMap(({ app, releases }) =>
      releases.filter(isWatched).map(({ number }) => ({ app, number })),
    );
    if (watched.length === 0) return;
    const loads = await this.options.proxy.loads(watched.map(({ app, number }) => releaseKey(app, number)));
    const at = Date.now();
    const reported = [...loads].map(([release, { connections, idleSeconds }]): [string, ReleaseLoad] => [
      release,
      {
        connections: connections + this.options.openBeside(release),
        idleSeconds: Math.min(idleSeconds, 1e9),
        at,
      },
    ]);
    await this.reports.reportLoads(this.options.id, new Map(reported));
  }
}
