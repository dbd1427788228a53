import type { CanarySummary, Conversion, GoalSummary } from "../../core/api/apps/canary.js";
import { AppError } from "../../core/errors/app-error.js";
import { releaseName } from "../../core/names.js";
import { CANARY, canaryShare, PRODUCTION } from "../../core/records/routes/route-table.js";
import type { CanaryNeeds } from "./needs.js";
import { newCanary, type CanaryCounts, type Decision } from "./canary-record.js";
import type { CanaryStore } from "./canary-store.js";
import { differenceInterval, wilsonInterval } from "./statistics/interval.js";
import type { VerdictNumbers } from "./statistics/verdict-numbers.js";

const EPOCH = new Date(0).toISOString();

/** Throws `canary-none` when the app never had one. */
export async function canarySummary(
  { routes, releases }: Pick<CanaryNeeds, "routes" | "releases">,
  store: CanaryStore,
  app: string,
): Promise<CanarySummary> {
  const [table, records] = await Promise.all([routes.read(app), store.list(app)]);
  const live = table.tracks[CANARY];
  const number = live ?? records[0]?.release;
  if (number === undefined) throw new AppError("canary-none", { app });
  const isLive = live === number;
  const release = await releases.find(app, number);
  // One that has just gone live was not looked at yet.
  const known = records.find((record) => record.release === number);
  const record = known ?? newCanary(app, number, Date.parse(release?.reachedAt.live ?? EPOCH));
  const settings = release?.canary;
  // By hand, it leaves no outcome in its record.
  const outcome = record.outcome ?? (release?.track === PRODUCTION ? "promoted" : "aborted");
  const path = settings?.goal?.path;
  return {
    app,
    release: releaseName(record.release),
    startedAt: record.startedAt,
    state: isLive ? "live" : outcome,
    share: isLive ? canaryShare(table, false) : 0,
    isByHand: isLive && (table.canary?.isManual ?? false),
    step: record.step + 1,
    steps: Math.max(1, settings?.steps.length ?? 1),
    verdict: record.verdict === undefined ? null : shownVerdict(record.verdict),
    decisions: record.decisions,
    goal: path === undefined ? null : goalSummary(path, record.canary, record.production),
  };
}

function shownVerdict(verdict: Decision): NonNullable<CanarySummary["verdict"]> {
  // Those that the judge has kept with it; a reader that takes others finds them unreadable.
  return { ...verdict, numbers: verdict.numbers as VerdictNumbers };
}

function goalSummary(path: string, canary: CanaryCounts, production: CanaryCounts): GoalSummary {
  const [ofCanary, ofProduction] = [conversion(canary), conversion(production)];
  const difference = differenceInterval(
    { successes: ofCanary.reached, trials: ofCanary.visitors },
    { successes: ofProduction.reached, trials: ofProduction.visitors },
  );
  return { path, canary: ofCanary, production: ofProduction, difference };
}

function conversion({ visitors, goals }: CanaryCounts): Conversion {
  // A cookie that was copied reaches the goal more than once.
  const reached = Math.min(goals, visitors);
  return {
    visitors,
    reached,
    share: visitors === 0 ? null : reached / visitors,
    interval: wilsonInterval(reached, visitors),
  };
}
