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
import { nextMoves, type Loads, type Move } from "./retirement.js";

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
    const { app } = table;
    for (const move of await this.movesOf(table)) {
      switch (move.kind) {
        case "retire":
          await this.inTurn(app, move, async () => this.retire(app, move.number));
          break;
        case "close":
          await routes.update(app, (now) => withoutVisitors(now, move.number));
          break;
        case "sleep":
          await this.inTurn(app, move, async () => putToSleep(this.tools, app, move.number));
          break;
        case "expire":
          await routes.update(app, (now) => withoutTrack(now, move.track, clock.now()));
          break;
      }
    }
  }

  /** Until its turn comes, a rollback may have taken the release back, or a visitor may have come. */
  private async inTurn(
    app: string,
    move: Extract<Move, { number: number }>,
    stop: () => Promise<void>,
  ): Promise<void> {
    const { turns, routes } = this.tools;
    await turns.take(app, move.number, async () => {
      const moves = await this.movesOf(await routes.read(app));
      const isDue = moves.some((now) => now.kind === move.kind && now.number === move.number);
      if (isDue) await stop();
    });
  }

  private async movesOf(table: RouteTable): Promise<Move[]> {
    return nextMoves(table, await this.loadsOf(table), this.tools.clock.now());
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
    const revision = await routes.update(app, (table) => withoutRelease(table, number));
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
