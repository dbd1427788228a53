import { toAppError } from "../../core/errors/app-error.js";
import { PerKey } from "../../core/loop/per-key.js";
import { Ticker } from "../../core/loop/ticker.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import type { RecoveringApps } from "../releases/recovering-apps.js";
import type { RoutesNeeds } from "./needs.js";

export interface RouteWatchOptions {
  readonly tools: Pick<RoutesNeeds, "routes" | "clock" | "log"> & { readonly recovering: RecoveringApps };
  /** What it does, for the log. */
  readonly name: string;
  /** Whether there may be something to do about an app. */
  readonly concerns: (table: RouteTable) => boolean;
  /** Does it. */
  readonly attend: (table: RouteTable) => Promise<void>;
  /** First of all, at every look. */
  readonly before?: () => void;
  /** An app whose turn failed has its next one later: after the first pause, then after twice as long each time. */
  readonly pauseMs?: { readonly first: number; readonly longest: number };
}

const TICK_MS = 1000;
/** Redis may have lost its last second, and with it revisions that were seen here: so often all tables are read. */
const ALL_MS = 60_000;

/**
 * A loop over the apps' route tables: a look at each that it concerns once a second, one at a time per app. An app that is
 * still being recovered is left alone.
 */
export class RouteWatch {
  private readonly known = new Map<string, RouteTable>();
  private readonly apps: PerKey;
  private revision = 0;
  /** ms since 1970 */
  private readAllAt = 0;

  constructor(private readonly options: RouteWatchOptions) {
    const { tools, name, pauseMs } = options;
    this.apps = new PerKey({
      onError: (error, app) => tools.log.warn({ err: toAppError(error), app }, name),
      ...(pauseMs === undefined ? {} : { backOff: { firstMs: pauseMs.first, longestMs: pauseMs.longest } }),
      clock: tools.clock,
    });
  }

  /** `stop` resolves when what is under way has ended. */
  start(): { stop(): Promise<void> } {
    const { tools, name } = this.options;
    const ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.look(),
      onError: (error) => tools.log.warn({ err: error }, name),
    });
    ticker.start();
    return {
      stop: async () => {
        await ticker.stop();
        await this.apps.stop();
      },
    };
  }

  private async look(): Promise<void> {
    const { tools, before, concerns, attend } = this.options;
    before?.();
    const now = tools.clock.now();
    const isAll = Math.abs(now - this.readAllAt) >= ALL_MS;
    const { revision, changes, isComplete } = await tools.routes.changedSince(isAll ? 0 : this.revision);
    if (isAll) this.readAllAt = now;
    if (isAll || isComplete) this.known.clear();
    for (const [app, table] of changes) {
      if (table === undefined || !concerns(table)) this.known.delete(app);
      else this.known.set(app, table);
    }
    this.revision = revision;
    for (const table of this.known.values()) {
      if (tools.recovering.has(table.app)) continue;
      // What is slow for one app (30 s of grace, a promotion) must not hold up the others.
      this.apps.runIfIdle(table.app, async () => attend(table));
    }
  }
}
