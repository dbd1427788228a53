import { releaseName } from "../../core/names.js";
import { hasApplied } from "../../core/records/routes/proxy-reports.js";
import { isWatched, type RouteTable } from "../../core/records/routes/route-table.js";
import { withoutRelease, withoutTrack, withoutVisitors } from "../routes/route-changes.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { RouteWatch } from "../routes/route-watch.js";
import type { ReconcileNeeds } from "./needs.js";
import { PendingStops } from "./pending-stops.js";
import { putToSleep } from "./sleep.js";
import { nextMoves, type Loads, type Move } from "./retirement.js";

/** Watches the replaced releases and lets them go when their time has come, and previews until nobody visits them. */
export class Reconciler {
  private readonly stops: PendingStops;

  constructor(
    private readonly tools: ReconcileNeeds,
    private readonly pipeline: Pick<Pipeline, "resolvePostponed">,
  ) {
    this.stops = new PendingStops(tools);
  }

  start(): { stop(): Promise<void> } {
    const watch = new RouteWatch({
      tools: this.tools,
      name: "reconcile",
      before: () => {
        this.pipeline.resolvePostponed();
        this.stops.retry();
        // Who is silent is known before a push would have to wait to find out.
        this.tools.proxyReports.members().catch(() => undefined);
      },
      // Not a thousand sleeping previews, once a second: when their time is over is seen with a minute's delay at most.
      concerns: (table) =>
        table.releases.some(isWatched) || nextMoves(table, new Map(), this.tools.clock.now()).length > 0,
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
    const loads = await this.loadsOf(table);
    for (const move of nextMoves(table, loads, this.tools.clock.now())) {
      switch (move.kind) {
        case "retire":
        case "sleep":
          await this.inTurn(table.app, move);
          break;
        case "close":
          await this.change(table.app, move, loads, (now) => withoutVisitors(now, move.number));
          break;
        case "expire":
          await this.change(table.app, move, loads, (now) =>
            withoutTrack(now, move.track, this.tools.clock.now()),
          );
          break;
      }
    }
  }

  /** What is counted until its turn comes counts too. */
  private async inTurn(app: string, move: Extract<Move, { number: number }>): Promise<void> {
    const { turns, routes } = this.tools;
    await turns.take(app, move.number, async () => {
      const loads = await this.loadsOf(await routes.read(app));
      if (await this.isHeld(app)) return;
      const { number } = move;
      if (move.kind === "sleep")
        await this.stops.begin({ app, number, why: "asleep" }, async () =>
          putToSleep(this.tools, app, number, this.isDue(move, loads)),
        );
      else
        await this.stops.begin({ app, number, why: "retired" }, async () =>
          this.change(app, move, loads, (table) => withoutRelease(table, number)),
        );
    });
  }

  /**
   * Changes the table if the move is still to be made in the one that is changed: since it was decided, a rollback may have
   * taken a release back, somebody may have pushed, or a visitor may have come. Answers the revision, if it was.
   */
  private async change(
    app: string,
    move: Move,
    loads: Loads,
    change: (table: RouteTable) => RouteTable,
  ): Promise<number | undefined> {
    const last = { isDue: false };
    const revision = await this.tools.routes.update(app, (table) => {
      last.isDue = this.isDue(move, loads)(table);
      return last.isDue ? change(table) : table;
    });
    return last.isDue ? revision : undefined;
  }

  private isDue(move: Move, loads: Loads): (table: RouteTable) => boolean {
    return (table) =>
      nextMoves(table, loads, this.tools.clock.now()).some(
        (now) => JSON.stringify(now) === JSON.stringify(move),
      );
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
