import type { CanarySettings } from "../../../core/records/releases/canary-settings.js";
import type { RoutedCanary } from "../../../core/records/routes/route-table.js";
import type { CanaryRecord, Decision } from "../canary-record.js";
import type { Verdict } from "../statistics/verdict.js";

/** What a verdict leads to. */
export type CanaryMove =
  | { readonly action: "none" }
  | { readonly action: "raise"; readonly step: number; readonly share: number }
  | { readonly action: "promote" | "abort" };

/**
 * A bad canary goes, a good one goes on to its next step, and after the last to production, as far as its settings say. An
 * A/B test is decided by people, and a share that an admin chose is not changed. Pure.
 */
export function nextMove(
  { word }: Pick<Verdict, "word">,
  { step }: Pick<CanaryRecord, "step">,
  settings: CanarySettings,
  routed: Pick<RoutedCanary, "isManual">,
): CanaryMove {
  if (word === "hold" || settings.goal !== undefined) return { action: "none" };
  if (word === "fail") return settings.onFail === "abort" ? { action: "abort" } : { action: "none" };
  if (routed.isManual) return { action: "none" };
  const share = settings.steps[step + 1];
  if (share !== undefined) return { action: "raise", step: step + 1, share };
  return settings.onPass === "promote" ? { action: "promote" } : { action: "none" };
}

const KEPT_DECISIONS = 200;

/** The record with a verdict: kept in the list when it says another word than the last, or something was done. */
export function withDecision(record: CanaryRecord, decision: Decision): CanaryRecord {
  const decisions = isNews(record, decision)
    ? [...record.decisions, decision].slice(-KEPT_DECISIONS)
    : record.decisions;
  return { ...record, verdict: decision, decisions };
}

/** Something is done, or the verdict is another one than before. */
export function isNews(record: CanaryRecord, { action, word }: Decision): boolean {
  return action !== "none" || word !== record.verdict?.word;
}
