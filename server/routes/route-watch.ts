import { toAppError } from "../../core/errors/app-error.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import type { Tools } from "../tools.js";

export interface RouteWatchOptions {
  readonly tools: Pick<Tools, "routes" | "recovering" | "clock" | "log">;
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

interface Failed {
  /** One after the other. */
  readonly times: number;
  /** ms since 1970 */
  readonly pausedUntil: number;
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
  private readonly busy = new Map<string, Promise<void>>();
  private readonly failed = new Map<string, Failed>();
  private revision = 0;
  /** ms since 1970 */
  private readAllAt = 0;

  constructor(private readonly options: RouteWatchOptions) {}

  /** `stop` resolves when what is under way has ended. */
  start(): { stop(): Promise<void> } {
    const { tools, name } = this.options;
    let looking: Promise<void> | undefined;
    const timer = setInterval(() => {
      looking ??= this.look()
        .catch((error: unknown) => tools.log.warn({ err: error }, name))
        .finally(() => (looking = undefined));
    }, TICK_MS);
    return {
      stop: async () => {
        clearInterval(timer);
        await looking;
        await Promise.allSettled([...this.busy.values()]);
      },
    };
  }

  private async look(): Promise<void> {
    const { tools, before, concerns } = this.options;
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
    for (const table of this.known.values()) this.take(table);
  }

  /** What is slow for one app (30 s of grace, a promotion) must not hold up the others. */
  private take(table: RouteTable): void {
    const { tools, name, attend, pauseMs = { first: 0, longest: 0 } } = this.options;
    const { app } = table;
    const { times, pausedUntil } = this.failed.get(app) ?? { times: 0, pausedUntil: 0 };
    if (this.busy.has(app) || tools.recovering.has(app) || tools.clock.now() < pausedUntil) return;
    const work = attend(table)
      .then(() => {
        this.failed.delete(app);
      })
      .catch((error: unknown) => {
        tools.log.warn({ err: toAppError(error), app }, name);
        const { first, longest } = pauseMs;
        const until = tools.clock.now() + Math.min(longest, first * 2 ** times);
        this.failed.set(app, { times: times + 1, pausedUntil: until });
      })
      .finally(() => this.busy.delete(app));
    this.busy.set(app, work);
  }
}
