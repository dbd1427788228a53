import { networkInterfaces } from "node:os";
import type { Database } from "../core/redis/database.js";
import type { Log } from "../core/log.js";
import { Ticker } from "../core/loop/ticker.js";
import { isAlert } from "../core/records/alerts/is-alert.js";
import { ErrorPages } from "../core/records/routes/error-pages.js";
import { ProxyReports, type ProxyReport, type ReleaseLoad } from "../core/records/routes/proxy-reports.js";
import { CANARY, isWatched, type RouteTable } from "../core/records/routes/route-table.js";
import { RouteTables } from "../core/records/routes/route-tables.js";
import { subscriberOf } from "../core/redis/connection.js";
import { KeyWatch } from "../core/redis/key-watch.js";
import { keys } from "../core/redis/keys.js";
import type { SecretBox } from "../core/secrets.js";
import { Applier } from "./applier.js";
import { CertificateFollower } from "./certificates/certificate-follower.js";
import type { Proxy } from "./proxy.js";
import { releaseKey } from "./routes-of.js";
import { TrafficRecorder } from "./traffic.js";

export interface FollowOptions {
  readonly proxy: Proxy;
  readonly redis: Database;
  /** This proxy's name in Redis, which is the same after a restart. */
  readonly id: string;
  readonly domain: string;
  /** The app that a bare host leads to. Undefined: the only app, if there is just one. */
  readonly defaultApp: string | undefined;
  /** Connections of a release (`APP/vN`) that the proxy does not count. */
  readonly extraConnections: (release: string) => number;
  /** Called about once a second while the routes are followed, or while Redis is away and no proxy can. */
  readonly onFollowing: () => Promise<void>;
  /** What is kept of apps besides routes; called after each step with whether an app is there. */
  readonly keepLogs?: (isThere: (app: string) => boolean) => Promise<void>;
  /** What opens certificates; undefined while this host has no key for them. */
  readonly certificateBox: () => Promise<SecretBox | undefined>;
  /** An address that proxies share; undefined where they share none. */
  readonly sharedAddress: string | undefined;
  /** A clock that nobody sets, from any beginning. */
  readonly monotonicMs?: () => number;
  readonly log: Log;
}

const TICK_MS = 1000;
/** A step that takes longer does not bring it to the current routes. */
const LONGEST_STEP_MS = 10_000;
const NOTHING_YET: ProxyReport = {
  ...{ revision: 0, failing: [], leaving: [] },
  ...{ certificates: 0, refused: [] },
  hasSharedAddress: false,
};

/**
 * Makes a proxy follow the route tables: on each change, and once a second in case one was missed. Reports to Redis which
 * revision is applied and what is still open on releases that drain. While Redis is away the last routes stay.
 */
export class Follower {
  private readonly tables: RouteTables;
  private readonly reports: ProxyReports;
  private readonly errorPages: ErrorPages;
  private readonly traffic: TrafficRecorder;
  private readonly applier: Applier;
  private readonly certificates: CertificateFollower;
  /** Apps whose tables cannot be read. */
  private readonly unreadable = new Set<string>();
  /** What is reported. It is true at every moment, even during a step. */
  private state = NOTHING_YET;
  /** Changes after this revision are not applied yet. 0: all tables must be read. */
  private revision = 0;
  /** How often it has begun again with all tables. */
  private beginnings = 0;
  private isAlert = false;
  /** When a step was completed, by a clock that nobody sets. */
  private steppedMs: number;
  private readonly steps = new Ticker({
    everyMs: TICK_MS,
    job: async () => this.step(),
    onError: (error) => this.options.log.warn({ err: error }, "following the routes"),
  });
  /** Apart from the steps: one that takes long, or waits for the proxy's socket, does not make the proxy look gone. */
  private readonly beats = new Ticker({
    everyMs: TICK_MS,
    job: async () => {
      if (!this.isBehind()) await this.options.onFollowing();
      await this.report();
    },
    onError: () => undefined,
  });

  private readonly monotonicMs: () => number;

  constructor(private readonly options: FollowOptions) {
    this.monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.steppedMs = this.monotonicMs();
    this.tables = new RouteTables(options.redis);
    this.reports = new ProxyReports(options.redis);
    this.errorPages = new ErrorPages(options.redis);
    this.certificates = new CertificateFollower({ ...options, box: options.certificateBox });
    this.applier = new Applier({
      ...options,
      covered: (table, host) => this.certificates.covered(table, host),
      errorPage: async (table) => this.errorPageOf(table),
    });
    this.traffic = new TrafficRecorder({ ...options, isThere: (app) => this.isThere(app) });
  }

  /** Follows until `stop` is called. */
  async start(): Promise<{ stop(): Promise<void> }> {
    const { redis } = this.options;
    const wake = (): void => this.steps.wake();
    const subscriber = subscriberOf(redis);
    subscriber.on("error", () => undefined);
    subscriber.on("message", wake);
    const beginAgain = (): void => this.beginAgain();
    subscriber.on("ready", beginAgain);
    redis.on("ready", beginAgain);
    this.steps.start();
    void this.beats.startNow();
    await subscriber.subscribe(keys.routesChannel);
    const alert = new KeyWatch(redis, keys.alert, wake);
    await alert.start();
    return {
      stop: async () => {
        redis.off("ready", beginAgain);
        subscriber.disconnect();
        alert.stop();
        await Promise.all([this.steps.stop(), this.beats.stop()]);
        await this.traffic.idle();
      },
    };
  }

  /** Reads all tables again: changes may have been missed, or Redis may have lost revisions. Has no effect where nothing changed. */
  private beginAgain(): void {
    this.beginnings++;
    this.revision = 0;
    this.certificates.beginAgain();
    this.state = { ...this.state, revision: 0, certificates: 0 };
    this.steps.wake();
  }

  private async step(): Promise<void> {
    const { proxy } = this.options;
    await this.obeyAlert();
    const { beginnings } = this;
    const revision = await this.follow();
    const leaving = [...(await proxy.leaving())];
    const failing = [...new Set([...this.applier.failing, ...this.unreadable])];
    // If all tables must be read again, this revision does not count as applied.
    const isCurrent = beginnings === this.beginnings;
    if (isCurrent) this.revision = revision;
    const certificates = isCurrent ? this.certificates.revision : 0;
    const { refused } = this.certificates;
    this.state = {
      ...this.state,
      revision: this.revision,
      certificates,
      refused: [...refused],
      failing,
      leaving,
    };
    this.steppedMs = this.monotonicMs();
    await this.report();
    await proxy.sweep();
    await this.reportLoads(this.state);
    // It runs beside the steps, which do not wait for it.
    this.traffic.tick();
    await this.options.keepLogs?.((app) => this.isThere(app));
  }

  /** Applies what has changed. Returns the revision that is followed afterwards. */
  private async follow(): Promise<number> {
    const { revision, changes, unreadable, isComplete } = await this.tables.changedSince(this.revision);
    const known = isComplete ? [...this.applier.known.keys(), ...(await this.options.proxy.apps())] : [];
    const gone = known.filter((app) => !changes.has(app) && !unreadable.includes(app));
    for (const app of changes.keys()) this.unreadable.delete(app);
    for (const app of unreadable) this.unreadable.add(app);
    const wanted = new Map([...changes, ...gone.map((app) => [app, undefined] as const)]);
    const certified = await this.followCertificates(wanted);
    await this.applier.apply(new Map([...certified.tables, ...wanted]), this.isAlert);
    await certified.finish();
    return revision;
  }

  /** Certificates come before the routes that need them. Without them there are routes all the same. */
  private async followCertificates(
    changes: ReadonlyMap<string, RouteTable | undefined>,
  ): Promise<{ readonly tables: ReadonlyMap<string, RouteTable>; readonly finish: () => Promise<void> }> {
    const tables = changes.size === 0 ? this.applier.known : this.applier.with(changes);
    const warn = (error: unknown): void =>
      this.options.log.error({ err: error }, "following the certificates");
    try {
      const { apps, finish } = await this.certificates.follow(tables, changes.keys());
      const affected = apps.flatMap((app) => {
        const table = tables.get(app);
        return table === undefined ? [] : [[app, table] as const];
      });
      return { tables: new Map(affected), finish: async () => finish().catch(warn) };
    } catch (error) {
      warn(error);
      return { tables: new Map(), finish: async () => undefined };
    }
  }

  /** An app without its own page is routed all the same. */
  private async errorPageOf({ app, errorPage: digest }: RouteTable): Promise<string | undefined> {
    if (digest === undefined) return undefined;
    return this.errorPages.read(app, digest).catch((error: unknown) => {
      this.options.log.error({ err: error, app }, "reading an app's error page");
      return undefined;
    });
  }

  private isThere(app: string): boolean {
    return this.applier.known.has(app) || this.unreadable.has(app);
  }

  private async report(): Promise<void> {
    const { id, sharedAddress } = this.options;
    const hasSharedAddress = sharedAddress !== undefined && ownAddresses().includes(sharedAddress);
    await this.reports.report(id, { ...this.state, hasSharedAddress });
  }

  /** Whether there may be routes that it does not apply although Redis is there. */
  private isBehind(): boolean {
    const nowMs = this.monotonicMs();
    if (this.options.redis.status === "ready") return nowMs - this.steppedMs > LONGEST_STEP_MS;
    this.steppedMs = nowMs;
    return false;
  }

  /** `sluice:alert`, whoever has set it: `yes` takes every canary out of the traffic. */
  private async obeyAlert(): Promise<void> {
    const isNow = await isAlert(this.options.redis);
    if (isNow === this.isAlert) return;
    const withCanary = [...this.applier.known].filter(([, { tracks }]) => tracks[CANARY] !== undefined);
    if (withCanary.length > 0) await this.applier.apply(new Map(withCanary), isNow);
    this.isAlert = isNow;
    this.options.log.info({ alert: isNow, canaries: withCanary.length }, "alert");
  }

  /** The loads that belong to this report. */
  private async reportLoads({ revision, failing }: ProxyReport): Promise<void> {
    const watched = [...this.applier.known.values()].flatMap(({ app, releases }: RouteTable) =>
      failing.includes(app) ? [] : releases.filter(isWatched).map(({ number }) => releaseKey(app, number)),
    );
    if (watched.length === 0) return;
    const loads = await this.options.proxy.loads(watched);
    const reported = [...loads].map(([release, { connections, idleSeconds }]): [string, ReleaseLoad] => [
      release,
      {
        connections: connections + this.options.extraConnections(release),
        idleSeconds: Math.min(idleSeconds, 1e9),
        revision,
      },
    ]);
    await this.reports.reportLoads(this.options.id, new Map(reported));
  }
}

/** IPv4, of this machine now. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((links) => links?.map(({ address }) => address) ?? []);
}
