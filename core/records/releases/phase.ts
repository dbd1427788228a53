/** The phases of a release, in order. `live` is the point of no return; `failed` is possible only before it. */
export const PHASES = [
  "queued",
  "checked-out",
  "installed",
  "gated",
  "built",
  "started",
  "healthy",
  "live",
  "settled",
  "retired",
  "failed",
] as const;

export type Phase = (typeof PHASES)[number];

/** What may follow what. A copy of a release begins as `built`. From `settled` or `retired` a rollback starts again at `built` (its tree is kept). */
const FOLLOWS: Readonly<Record<Phase, readonly Phase[]>> = {
  queued: ["checked-out", "built", "failed"],
  "checked-out": ["installed", "failed"],
  installed: ["gated", "built", "failed"],
  gated: ["built", "failed"],
  built: ["gated", "started", "failed", "retired"],
  started: ["healthy", "failed", "retired"],
  healthy: ["live", "failed", "retired"],
  live: ["settled", "retired"],
  settled: ["live", "built", "retired"],
  retired: ["built"],
  failed: [],
};

export function mayFollow(from: Phase, to: Phase): boolean {
  return from === to || FOLLOWS[from].includes(to);
}

/** Whether a release in this phase is on its way to another. */
export function isUnfinished(phase: Phase): boolean {
  return phase !== "settled" && phase !== "retired" && phase !== "failed";
}

/** Whether a release in this phase has done all that `phase` stands for. */
export function hasReached(current: Phase, phase: Phase): boolean {
  return current !== "failed" && PHASES.indexOf(current) >= PHASES.indexOf(phase);
}
