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

  private async retire(app: string, number: number): Promise<void> {
    const revision = await this.tools.routes.update(app, (table) => withoutRelease(table, number));
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
