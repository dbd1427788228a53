import type { Recording } from "../traffic/recording.js";

/** Requests of both sides, each counted for itself. */
export interface Seen {
  readonly canary: SideSeen;
  readonly production: SideSeen;
}

export interface SideSeen {
  requests: number;
  errors: number;
  readonly histogram: Map<number, number>;
}

/** In so many seconds from `second` on. */
export function seenIn(recording: Recording, second: number, seconds = 1): Seen {
  const { from, visitor, isCanary, isError, bucket } = recording;
  const seen = { canary: noneSeen(), production: noneSeen() };
  for (let request = from[second] ?? 0; request < (from[second + seconds] ?? 0); request++) {
    const side = isCanary[visitor[request] ?? 0] === 1 ? seen.canary : seen.production;
    side.requests++;
    side.errors += isError[request] ?? 0;
    const answer = bucket[request] ?? 0;
    side.histogram.set(answer, (side.histogram.get(answer) ?? 0) + 1);
  }
  return seen;
}

export function noneSeen(): SideSeen {
  return { requests: 0, errors: 0, histogram: new Map() };
}

export function addSeen(sum: SideSeen, { requests, errors, histogram }: SideSeen): void {
  sum.requests += requests;
  sum.errors += errors;
  for (const [bucket, count] of histogram)
    sum.histogram.set(bucket, (sum.histogram.get(bucket) ?? 0) + count);
}
