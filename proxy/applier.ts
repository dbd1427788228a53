import type { Log } from "../core/log.js";
import { PRODUCTION, type RouteTable } from "../core/records/routes/route-table.js";
import type { AppRoutes, HttpsOnly, Proxy } from "./proxy.js";
import { routesOf, trackKey } from "./routes-of.js";

export interface ApplierOptions {
  readonly proxy: Proxy;
  readonly domain: string;
  /** The app that a bare host goes to; undefined: the only one, if there is just one. */
  readonly defaultApp: string | undefined;
  /** See `RoutesContext`. */
  readonly covered: (table: RouteTable, host: string) => HttpsOnly | undefined;
  /** The app's own, as its table names it. */
  readonly errorPage: (table: RouteTable) => Promise<string | undefined>;
  readonly log: Log;
}

/** At most this many attempts per call are spent on finding the apps that cannot be applied; the rest wait for the next call. */
const MOST_ATTEMPTS = 40;

/** Applies route tables to a proxy. An app whose table fails keeps its earlier routes and does not hold up the others. */
export class Applier {
  /** The newest table of each app. */
  readonly known = new Map<string, RouteTable>();
  /** Apps whose newest table could not be applied yet. */
  private readonly pending = new Set<string>();

  constructor(private readonly options: ApplierOptions) {}

  /** The newest tables with these. */
  with(changes: ReadonlyMap<string, RouteTable | undefined>): ReadonlyMap<string, RouteTable> {
    const tables = new Map(this.known);
    for (const [app, table] of changes)
      if (table === undefined) tables.delete(app);
      else tables.set(app, table);
    return tables;
  }

  /** Apps that the proxy still routes by an earlier table. */
  get failing(): readonly string[] {
    return [...this.pending];
  }

  /** Applies these, then retries what failed before. Throws if the proxy does not answer: its state is unknown then. */
  async apply(changes: ReadonlyMap<string, RouteTable | undefined>, isAlert: boolean): Promise<void> {
    const before = [...this.pending].filter((app) => !changes.has(app));
    for (const [app, table] of changes) {
      if (table === undefined) this.known.delete(app);
      else this.known.set(app, table);
    }
    let attempts = MOST_ATTEMPTS;
    const bringIn = async (apps: readonly string[]): Promise<void> => {
      if (apps.length === 0) return;
      try {
        if (attempts-- <= 0) throw new Error("others failed before it");
        await this.bringIn(apps, isAlert);
        for (const app of apps) this.setPending(app, undefined);
      } catch (error) {
        // If the proxy does not answer, it is no app's fault, and this throws.
        await this.options.proxy.apps();
        const half = Math.ceil(apps.length / 2);
        if (attempts <= 0 || half === apps.length) for (const app of apps) this.setPending(app, error);
        else for (const some of [apps.slice(0, half), apps.slice(half)]) await bringIn(some);
      }
    };
    await bringIn([...changes.keys()]);
    await bringIn(before);
  }

  private async bringIn(apps: readonly string[], isAlert: boolean): Promise<void> {
    const { proxy, domain, covered, errorPage } = this.options;
    const routes = new Map<string, AppRoutes | undefined>();
    for (const app of apps) {
      const table = this.known.get(app);
      if (table === undefined) routes.set(app, undefined);
      else {
        const context = { domain, isAlert, errorPage: await errorPage(table) };
        routes.set(app, routesOf(table, { ...context, covered: (host) => covered(table, host) }));
      }
    }
    await proxy.apply(routes, this.fallback());
  }

  private setPending(app: string, error: unknown): void {
    if (error === undefined) this.pending.delete(app);
    else if (!this.pending.has(app)) {
      this.options.log.error({ err: error, app }, "could not apply the routes of an app");
      this.pending.add(app);
    }
  }

  private fallback(): string | undefined {
    const [only] = this.known.size === 1 ? this.known.keys() : [];
    const app = this.options.defaultApp ?? only;
    return app === undefined ? undefined : trackKey(app, PRODUCTION);
  }
}
