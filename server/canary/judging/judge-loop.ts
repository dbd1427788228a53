import { isAppError, toAppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import { BY_SLUICE } from "../../../core/records/events/event-record.js";
import { BASELINE, CANARY, PRODUCTION, type RouteTable } from "../../../core/records/routes/route-table.js";
import type { TrafficSeries } from "../../../core/records/traffic/traffic-series.js";
import { eventsOfDecision } from "../../events/events-of.js";
import { RouteWatch } from "../../routes/route-watch.js";
import type { CanaryNeeds } from "../needs.js";
import { chanceOf } from "./chance.js";
import { beginCanary } from "./begin-canary.js";
import { freshEvidence, type CanaryRecord, type Decision } from "../canary-record.js";
import type { CanaryStore } from "../canary-store.js";
import { isNews, nextMove, withDecision, type CanaryMove } from "./next-move.js";
import { withTraffic } from "./observe.js";
import { setSlowLimits } from "./set-slow-limits.js";
import { whyNotPromoted, withFailedPromotion } from "./promotion.js";
import { abort, raise } from "./share.js";
import { verdictOn } from "./verdict-on.js";
import { whyHeld } from "./why-held.js";

export interface JudgeOptions {
  readonly tools: CanaryNeeds;
  readonly store: CanaryStore;
  readonly traffic: Pick<TrafficSeries, "since">;
  readonly isAlert: () => Promise<boolean>;
  /** If the app's canary is still this release, and `isDue` when its turn comes. */
  readonly promote: (app: string, release: number, isDue: () => Promise<boolean>) => Promise<unknown>;
}

/** Of what could not be done: an abort is among it. */
const PAUSE_MS = { first: 1000, longest: 10_000 };

const NO_MOVE: CanaryMove = { action: "none" };

/** Looks at every canary once a second, and does what its verdict and its settings say. */
export class JudgeLoop {
  /** App → a promotion, which may wait for others and for instances: the canary is judged on meanwhile. */
  private readonly promotions = new Map<string, Promise<void>>();

  constructor(private readonly options: JudgeOptions) {}

  start(): { stop(): Promise<void> } {
    const watch = new RouteWatch({
      tools: this.options.tools,
      name: "judging",
      concerns: ({ tracks }) => tracks[CANARY] !== undefined,
      attend: async (table) => this.judge(table),
      pauseMs: PAUSE_MS,
    }).start();
    return {
      stop: async () => {
        await watch.stop();
        await Promise.all(this.promotions.values());
      },
    };
  }

  private async judge(table: RouteTable): Promise<void> {
    const { tools, store, isAlert, traffic } = this.options;
    const number = table.tracks[CANARY];
    const release = number === undefined ? undefined : await tools.releases.find(table.app, number);
    if (release === undefined || table.canary === undefined) return;
    const now = tools.clock.now();
    const record = await beginCanary(tools, store, release);
    const noVisitors = whyHeld(table, await isAlert());
    const { cursor, entries } = await traffic.since(table.app, record.cursor);
    const counted = entries.flatMap(({ releases }) => releases);
    const looked = withTraffic(record, counted, {
      against: release.canary.baseline ? BASELINE : PRODUCTION,
      cursor,
      now,
      isHeld: noVisitors !== undefined,
      chance: chanceOf(table, release.canary),
      stepSeconds: release.canary.stepSeconds,
    });
    const seen = await setSlowLimits(tools, looked, release.canary);
    const judged = verdictOn(seen, release.canary);
    const due = noVisitors === undefined ? nextMove(judged, seen, release.canary, table.canary) : NO_MOVE;
    const isPromotion = due.action === "promote";
    const held = noVisitors ?? (isPromotion ? whyNotPromoted(seen, table, now) : undefined);
    const verdict = held === undefined ? judged : { ...judged, word: "hold" as const, reason: held };
    const move = held !== undefined || (isPromotion && this.promotions.has(table.app)) ? NO_MOVE : due;
    const decision: Decision = {
      at: new Date(now).toISOString(),
      word: verdict.word,
      reason: verdict.reason,
      action: move.action,
      share: table.canary.share,
      numbers: verdict.numbers,
    };
    // It is news once, whoever else may write it.
    await store.save(withDecision(seen, decision), (before) =>
      before !== undefined && isNews(before, decision) ? eventsOfDecision(decision, release) : [],
    );
    await this.act(withDecision(seen, decision), move);
  }

  /** After the decision is written; a server that dies in between decides the same again. */
  private async act(record: CanaryRecord, move: CanaryMove): Promise<void> {
    const { tools, store } = this.options;
    const { app, release } = record;
    if (move.action === "none") return;
    const fields = { app, release: releaseName(release), reason: record.verdict?.reason };
    tools.log.info({ ...fields, action: move.action }, "canary");
    switch (move.action) {
      case "raise":
        if (await raise(tools, app, release, move.share))
          await store.save({ ...record, ...freshEvidence(), step: move.step, secondsInStep: 0 });
        break;
      case "abort":
        await abort(tools, app, {
          ...{ only: release, by: BY_SLUICE },
          reason: record.verdict?.reason ?? "",
        });
        await store.save({ ...record, outcome: "aborted" });
        break;
      case "promote":
        this.promotions.set(
          app,
          this.promote(record).finally(() => this.promotions.delete(app)),
        );
        break;
    }
  }

  private async promote({ app, release }: CanaryRecord): Promise<void> {
    const { tools, store, promote } = this.options;
    const save = async (change: (record: CanaryRecord) => CanaryRecord): Promise<void> => {
      const record = await store.find(app, release);
      if (record !== undefined) await store.save(change(record));
    };
    await promote(app, release, async () => this.isStillDue(app, release))
      .then(
        async () => save((record) => ({ ...record, outcome: "promoted" })),
        async (error: unknown) => {
          // The canary is gone, or a person was faster.
          if (isAppError(error, "canary-none", "canary-changed")) return;
          tools.log.warn({ err: toAppError(error), app }, "could not promote a canary");
          await save((record) => withFailedPromotion(record, toAppError(error), tools.clock.now()));
        },
      )
      .catch((error: unknown) => tools.log.warn({ err: toAppError(error), app }, "judging"));
  }

  /** It may have waited long: for a push to master, say. */
  private async isStillDue(app: string, release: number): Promise<boolean> {
    const { tools, store, isAlert } = this.options;
    const [table, record] = await Promise.all([tools.routes.read(app), store.find(app, release)]);
    if (record?.verdict?.word !== "pass" || (await isAlert())) return false;
    return table.canary?.isManual === false && whyNotPromoted(record, table, tools.clock.now()) === undefined;
  }
}
