import type { CanarySettings } from "../../../core/records/releases/canary-settings.js";
import { CANARY, type RouteTable } from "../../../core/records/routes/route-table.js";
import { withSlowLimits } from "../../routes/route-changes.js";
import type { CanaryRecord } from "../canary-record.js";
import type { CanaryNeeds } from "../needs.js";
import { countIn } from "../statistics/quantile.js";
import { slowLimits } from "../statistics/slow-limits.js";
import { isWarm } from "./observe.js";

/**
 * Tells the proxies from when on an answer is slow, once production had enough answers after the canary's warm-up, and again
 * whenever it had twice as many. Answers the record with what the limits were made of.
 */
export async function setSlowLimits(
  { routes }: Pick<CanaryNeeds, "routes">,
  record: CanaryRecord,
  { stepSeconds }: Pick<CanarySettings, "stepSeconds">,
): Promise<CanaryRecord> {
  const histogram = new Map(record.production.histogram);
  const answers = countIn(histogram);
  const slow = slowLimits(histogram);
  if (slow === undefined || !isWarm(record, stepSeconds) || answers < 2 * record.slowAnswers) return record;
  const change = (table: RouteTable): RouteTable =>
    table.tracks[CANARY] === record.release ? withSlowLimits(table, slow) : table;
  await routes.update(record.app, change);
  return { ...record, slowAnswers: answers };
}
