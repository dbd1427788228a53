import { releaseName } from "../../core/names.js";
import { hasApplied } from "../../core/records/proxy-reports.js";
import { isWatched, type RouteTable } from "../../core/records/route-table.js";
import { withoutRelease, withoutTrack, withoutVisitors } from "../releases/route-changes.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { RouteWatch } from "../releases/route-watch.js";
import type { Tools } from "../tools.js";
import { PendingStops } from "./pending-stops.js";
import { putToSleep } from "./sleep.js";
import { nextMoves, type Loads, type Move } from "./retirement.js";

/** Watches the replaced releases and lets them go when their time has come, and previews until nobody visits them. */
export class Reconciler {
  private readonly stops: PendingStops;

  constructor(
    private readonly tools: Tools,
    private readonly pipeline: Pick<Pipeline, "undoRemembered">,
  ) {
    this.stops = new PendingStops(tools);
  }

  start(): { stop(): Promise<void> } {
    const watch = new RouteWatch({
      tools: this.tools,
      name: "reconcile",
      before: async () => {
        await this.pipeline.undoRemembered();
        this.stops.retry();
        // Who is silent is known before a push would have to wait to find out.
        await this.tools.proxyReports.members();
      },
      concerns: ({ releases }) => releases.some((release) => isWatched(release) || release.asleep),
      attend: async (table) => this.move(table),
    }).start();
    return {
      stop: async () => {
        await watch.stop();
        await this.stops.idle();
      },
    };
  }

  private async move(table: RouteTable): Promise<void> {
    const { clock, routes } = this.tools;
    const { app } = table;
    for (const move of await this.movesOf(table)) {
      switch (move.kind) {
        case "retire":
          await this.inTurn(app, move, async () =>
            this.stops.begin({ app, number: move.number, why: "retired" }, async () =>
              routes.update(app, (now) => withoutRelease(now, move.number)),
            ),
          );
          break;
        case "close":
          await routes.update(app, (now) => withoutVisitors(now, move.number));
          break;
        case "sleep":
          await this.inTurn(app, move, async () =>
            this.stops.begin({ app, number: move.number, why: "asleep" }, async () =>
              putToSleep(this.tools, app, move.number),
            ),
          );
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
      if (isDue && !(await this.isHeld(app))) await stop();
    });
  }

  private async movesOf(table: RouteTable): Promise<Move[]> {
    return nextMoves(table, await this.loadsOf(table), this.tools.clock.now());
  }

  private async loadsOf({ app, releases }: RouteTable): Promise<Loads> {
    const { proxyReports, routes } = this.tools;
    const watched = releases.filter(isWatched).map(({ number }) => number);
    if (watched.length === 0) return new Map();
    const nameOf = (number: number): string => `${app}/${releaseName(number)}`;
    const loads = await proxyReports.loadsOf(watched.map(nameOf), await routes.revisionOf(app));
    return new Map(watched.map((number) => [number, loads.get(nameOf(number)) ?? []]));
  }

  /** A proxy is silent, or serves the app by an earlier table: while it does, nothing that it may lead visitors to is stopped. */
  private async isHeld(app: string): Promise<boolean> {
    const { proxyReports, routes } = this.tools;
    const revision = await routes.revisionOf(app);
    const members = await proxyReports.members();
    return members.some((member) => member.isSilent || !hasApplied(member, revision, app));
  }
}
