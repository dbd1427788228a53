import { releaseName } from "../../core/names.js";
import { isWatched, type RouteTable } from "../../core/records/route-table.js";
import { withoutRelease, withoutTrack, withoutVisitors } from "../releases/route-changes.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { applied } from "../releases/applied.js";
import { RouteWatch } from "../releases/route-watch.js";
import { prune } from "../pipeline/prune.js";
import { stopInstances } from "../pipeline/steps/start.js";
import type { Tools } from "../tools.js";
import { putToSleep } from "./sleep.js";
import { nextMoves, type Loads } from "./retirement.js";

/** Watches the replaced releases and lets them go when their time has come, and previews until nobody visits them. */
export class Reconciler {
  constructor(
    private readonly tools: Tools,
    private readonly pipeline: Pick<Pipeline, "undoRemembered">,
  ) {}

  start(): { stop(): Promise<void> } {
    return new RouteWatch({
      tools: this.tools,
      name: "reconcile",
      before: async () => this.pipeline.undoRemembered(),
      concerns: ({ releases }) => releases.some((release) => isWatched(release) || release.asleep),
      attend: async (table) => this.move(table),
    }).start();
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
    // Or while the proxies answered: what serves again, or is about to, is not ours to stop.
    const isBack = (await routes.read(app)).releases.some((release) => release.number === number);
    if (isBack || record?.phase === "built" || record?.phase === "started" || record?.phase === "healthy")
      return;
    if (record === undefined) return;
    await stopInstances({ tools: this.tools, record });
    if (record.phase === "settled" || record.phase === "live")
      await releases.advance(record, "retired", { instances: [] });
    await prune(this.tools, app);
    log.info({ app, release: releaseName(number) }, "release retired");
  }
}
