import { isAppError, toAppError, type AppError } from "../../core/app-error.js";
import { releaseName } from "../../core/names.js";
import { bucketMs } from "../../core/records/latency-buckets.js";
import type { ReleaseRecord } from "../../core/records/release-record.js";
import { BASELINE, CANARY, PRODUCTION, type RouteTable } from "../../core/records/route-table.js";
import type { TrafficSeries } from "../../core/records/traffic-series.js";
import { RouteWatch } from "../releases/route-watch.js";
import type { Tools } from "../tools.js";
import { freshEvidence, newCanary, type CanaryRecord, type Decision } from "./canary-record.js";
import type { CanaryStore } from "./canary-store.js";
import { ERRORS } from "./evidence.js";
import { LATENCY } from "./latency-evidence.js";
import { isNews, nextMove, withDecision, type CanaryMove } from "./next-move.js";
import { WARM_UP_SECONDS, withTraffic } from "./observe.js";
import { renewedValue } from "./renewed.js";
import { abort, setShare } from "./share.js";
import type { Counts } from "./verdict-numbers.js";
import { judge, type Verdict } from "./verdict.js";
import { whyHeld } from "./why-held.js";

export interface JudgeOptions {
  readonly tools: Tools;
  readonly store: CanaryStore;
  readonly traffic: Pick<TrafficSeries, "since">;
  readonly isAlert: () => Promise<boolean>;
  /** Told of each decision that is news. */
  readonly onDecision?: (decision: Decision, release: ReleaseRecord) => Promise<void>;
  /** If the app's canary is still this release. */
  readonly promote: (app: string, release: number) => Promise<unknown>;
}

/** After what could not be done (a promotion, say) the next try comes so much later at most. */
const LONGEST_PAUSE_MS = 60_000;
/** Of canaries as good as production so many fail by chance in all their steps, for errors and for latency each. */
const FALSE_ALARMS = 0.01;

/** Looks at every canary once a second, and does what its verdict and its settings say. */
export class JudgeLoop {
  constructor(private readonly options: JudgeOptions) {}

  start(): { stop(): Promise<void> } {
    return new RouteWatch({
      tools: this.options.tools,
      name: "judging",
      concerns: ({ tracks }) => tracks[CANARY] !== undefined,
      attend: async (table) => this.judge(table),
      longestPauseMs: LONGEST_PAUSE_MS,
    }).start();
  }

  private async judge(table: RouteTable): Promise<void> {
    const { tools, store, isAlert, traffic } = this.options;
    const number = table.tracks[CANARY];
    const release = number === undefined ? undefined : await tools.releases.find(table.app, number);
    if (release === undefined || table.canary === undefined) return;
    const now = tools.clock.now();
    const record = (await store.find(table.app, release.number)) ?? (await this.begin(release));
    const held = whyHeld(table, await isAlert());
    const { cursor, entries } = await traffic.since(table.app, record.cursor);
    const counted = entries.flatMap(({ releases }) => releases);
    const seen = withTraffic(record, counted, {
      against: release.canary.baseline ? BASELINE : PRODUCTION,
      cursor,
      now,
      isHeld: held !== undefined,
    });
    const judged = verdictOn(seen, release);
    const verdict = held === undefined ? judged : { ...judged, word: "hold" as const, reason: held };
    const move = nextMove(verdict, seen, release.canary, table.canary);
    const decision: Decision = {
      at: new Date(now).toISOString(),
      word: verdict.word,
      reason: verdict.reason,
      action: move.action,
      share: table.canary.share,
      numbers: verdict.numbers,
    };
    if (isNews(seen, decision))
      await this.options
        .onDecision?.(decision, release)
        .catch((error: unknown) => tools.log.warn({ err: error, app: table.app }, "a decision was not told"));
    await this.act(withDecision(seen, decision), move);
  }

  /** From the moment it went live: what came before the first look counts too. */
  private async begin(release: ReleaseRecord): Promise<CanaryRecord> {
    const { store } = this.options;
    const [last] = await store.list(release.app);
    if (last !== undefined && last.outcome === undefined) await store.save({ ...last, outcome: "replaced" });
    await store.prune(release.app);
    return newCanary(release.app, release.number, Date.parse(release.reachedAt.live ?? release.at));
  }

  /** The decision is written before it is acted on; a server that dies in between decides the same again. */
  private async act(record: CanaryRecord, move: CanaryMove): Promise<void> {
    const { tools, store, promote } = this.options;
    const { app, release } = record;
    await store.save(record);
    if (move.action === "none") return;
    const fields = { app, release: releaseName(release), reason: record.verdict?.reason };
    tools.log.info({ ...fields, action: move.action }, "canary");
    switch (move.action) {
      case "raise":
        await setShare(tools, app, move.share, { byHand: false });
        await store.save({ ...record, ...freshEvidence(), step: move.step, secondsInStep: 0 });
        break;
      case "abort":
        await abort(tools, app, release);
        await store.save({ ...record, outcome: "aborted" });
        break;
      case "promote":
        await promote(app, release).catch(async (error: unknown) => {
          // Then somebody was faster.
          if (!isAppError(error, "canary-none"))
            await store.save(withFailedPromotion(record, toAppError(error)));
          throw error;
        });
        await store.save({ ...record, outcome: "promoted" });
        break;
    }
  }
}

/** It says so where people look for what became of the canary. */
function withFailedPromotion(record: CanaryRecord, { message }: AppError): CanaryRecord {
  const { verdict } = record;
  if (verdict === undefined) return record;
  const [why = ""] = message.split("\n");
  const reason = `It could not be promoted: ${why} Production stays as it is, and the promotion will be tried again.`;
  return withDecision(record, { ...verdict, word: "hold", action: "none", reason });
}

function verdictOn(record: CanaryRecord, { canary: settings }: ReleaseRecord): Verdict {
  const { minRequests, maxErrorShare, maxP99Ratio, stepSeconds, steps } = settings;
  return judge(
    {
      canary: figuresOf(record.canary),
      production: figuresOf(record.production),
      eErrors: renewedValue(record.errors, ERRORS),
      eLatency: renewedValue(record.latency, LATENCY),
      secondsInStep: record.secondsInStep,
      against: settings.baseline ? "baseline" : "production",
    },
    {
      minRequests,
      // None is over before latencies were compared.
      stepSeconds: Math.max(stepSeconds, record.step === 0 ? WARM_UP_SECONDS : 0),
      falseAlarms: FALSE_ALARMS / Math.max(1, steps.length),
      ...(maxErrorShare === undefined ? {} : { maxErrorShare }),
      ...(maxP99Ratio === undefined ? {} : { maxP99Ratio }),
    },
    bucketMs,
  );
}

function figuresOf({ requests, errors, histogram }: CanaryRecord["canary"]): Counts {
  return { requests, errors, histogram: new Map(histogram) };
}
