import { releaseName } from "../../core/names.js";
import { isWatched, type RouteTable } from "../../core/records/route-table.js";
import { withoutRelease, withoutTrack, withoutVisitors } from "../releases/route-changes.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { applied } from "../releases/applied.js";
import { prune } from "../pipeline/prune.js";
import { stopInstances } from "../pipeline/steps/start.js";
import type { Tools } from "../tools.js";
import { putToSleep } from "./sleep.js";
import { nextMoves, type Loads } from "./retirement.js";

const TICK_MS = 1000;

/**
 * Watches the replaced releases and lets them go when their time has come, and previews until nobody visits them: one look
 * a second, one move at a time per app.
 */
export class Reconciler {
  private readonly known = new Map<string, RouteTable>();
  private readonly busy = new Map<string, Promise<void>>();
  private revision = 0;

  constructor(
    private readonly tools: Tools,
    private readonly pipeline: Pick<Pipeline, "undoRemembered">,
  ) {}

  start(): { stop(): Promise<void> } {
    let looking: Promise<void> | undefined;
    const timer = setInterval(() => {
      looking ??= this.look()
        .catch((error: unknown) => this.tools.log.warn({ err: error }, "reconcile"))
        .finally(() => {
          looking = undefined;
        });
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
    await this.pipeline.undoRemembered();
    const { revision, changes } = await this.tools.routes.changedSince(this.revision);
    for (const [app, table] of changes) {
      if (table === undefined) this.known.delete(app);
      else this.known.set(app, table);
    }
    this.revision = revision;
    for (const table of this.known.values()) {
      if (table.releases.some((release) => isWatched(release) || release.asleep)) this.attend(table);
    }
  }

  /** Moves of one app follow each other; a slow stop (30 s of grace) must not hold up the others. */
  private attend(table: RouteTable): void {
    if (this.busy.has(table.app)) return;
    const work = this.move(table)
      .catch((error: unknown) => this.tools.log.warn({ err: error, app: table.app }, "reconcile"))
      .finally(() => this.busy.delete(table.app));
    this.busy.set(table.app, work);
  }

  private async move(table: RouteTable): Promise<void> {
    const { clock, routes } = this.tools;
    for (const move of nextMoves(table, await this.loadsOf(table), clock.now())) {
      switch (move.kind) {
        case "retire":
          await this.retire(table.app, move.number);
          break;
        case "close":
          await routes.update(table.app, (now) => withoutVisitors(now, move.number));
          break;
        case "sleep":
          await putToSleep(this.tools, table.app, move.number);
          break;
        case "expire":
          await routes.update(table.app, (now) => withoutTrack(now, move.track, clock.now()));
          break;
      }
    }
  }

  private async loadsOf({ app, releases }: RouteTable): Promise<Loads> {
    const { proxyReports, clock } = this.tools;
    const loads = releases
      .filter(isWatched)
      .map(
        async ({ number }) =>
          [number, await proxyReports.loadsOf(`${app}/${releaseName(number)}`, clock.now())] as const,
      );
    return new Map(await Promise.all(loads));
  }

  /** Out of the proxies first, then TERM: whatever is still open can say goodbye. */
  private async retire(app: string, number: number): Promise<void> {
    const { routes, releases, log } = this.tools;
    const stillReplaced = (table: RouteTable): boolean =>
      table.releases.some((release) => release.number === number && release.replacedAt !== undefined);
    // A rollback may just have taken it back.
    const revision = await routes.update(app, (table) =>
      stillReplaced(table) ? withoutRelease(table, number) : table,
    );
    if ((await routes.read(app)).releases.some((release) => release.number === number)) return;
    await applied(this.tools, revision);
    const record = await releases.find(app, number);
    if (record === undefined) return;
    await stopInstances({ tools: this.tools, record });
    if (record.phase === "settled" || record.phase === "live")
      await releases.advance(record, "retired", { instances: [] });
    await prune(this.tools, app);
    log.info({ app, release: releaseName(number) }, "release retired");
  }
}
