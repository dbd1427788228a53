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

interface HalfRetired {
  readonly app: string;
  readonly number: number;
  /** Of the first table without it. */
  readonly revision: number;
  trying?: Promise<void>;
}

/** Watches the replaced releases and lets them go when their time has come, and previews until nobody visits them. */
export class Reconciler {
  /** `APP/vN` → releases that no table names any more, but which may still run. */
  private readonly halfRetired = new Map<string, HalfRetired>();

  constructor(
    private readonly tools: Tools,
    private readonly pipeline: Pick<Pipeline, "resolvePostponed">,
  ) {}

  start(): { stop(): Promise<void> } {
    const watch = new RouteWatch({
      tools: this.tools,
      name: "reconcile",
      before: () => {
        this.pipeline.resolvePostponed();
        for (const half of this.halfRetired.values()) this.finishRetiring(half);
      },
      concerns: ({ releases }) => releases.some((release) => isWatched(release) || release.asleep),
      attend: async (table) => this.move(table),
    }).start();
    return {
      stop: async () => {
        await watch.stop();
        await Promise.all([...this.halfRetired.values()].map(async ({ trying }) => trying));
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
      const isDue = this.isDue(move, loads);
      if (move.kind === "sleep") await putToSleep(this.tools, app, move.number, isDue);
      else await this.retire(app, move, loads);
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
    const { proxyReports, clock } = this.tools;
    const loads = releases
      .filter(isWatched)
      .map(
        async ({ number }) =>
          [number, await proxyReports.loadsOf(`${app}/${releaseName(number)}`, clock.now())] as const,
      );
    return new Map(await Promise.all(loads));
  }

  private async retire(app: string, move: Extract<Move, { number: number }>, loads: Loads): Promise<void> {
    const { number } = move;
    const revision = await this.change(app, move, loads, (table) => withoutRelease(table, number));
    if (revision === undefined) return;
    const half: HalfRetired = { app, number, revision };
    this.halfRetired.set(keyOf(half), half);
    await this.stopRetired(half);
  }

  /** What failed is tried again at the next look. A rollback may have gone back to the release meanwhile. */
  private finishRetiring(half: HalfRetired): void {
    const { turns, routes, log } = this.tools;
    const { app, number } = half;
    half.trying ??= turns
      .take(app, number, async () => {
        const { releases } = await routes.read(app);
        if (releases.some((release) => release.number === number)) this.halfRetired.delete(keyOf(half));
        else if (this.halfRetired.has(keyOf(half))) await this.stopRetired(half);
      })
      .catch((error: unknown) => log.warn({ err: error, release: keyOf(half) }, "a release did not retire"))
      .finally(() => delete half.trying);
  }

  /** Out of the proxies first, then TERM: whatever is still open can say goodbye. */
  private async stopRetired(half: HalfRetired): Promise<void> {
    const { releases, log } = this.tools;
    const { app, number, revision } = half;
    await applied(this.tools, revision);
    const record = await releases.find(app, number);
    if (record !== undefined) await stopInstances({ tools: this.tools, record });
    if (record?.phase === "settled" || record?.phase === "live")
      await releases.advance(record, "retired", { instances: [] });
    this.halfRetired.delete(keyOf(half));
    log.info({ app, release: releaseName(number) }, "release retired");
    await prune(this.tools, app);
  }
}

function keyOf({ app, number }: Pick<HalfRetired, "app" | "number">): string {
  return `${app}/${releaseName(number)}`;
}
