import { BUCKETS } from "../../../core/records/traffic/latency-buckets.js";
import type { Recording } from "../traffic/recording.js";

/** Requests of both sides, each counted for itself. */
export interface Seen {
  readonly canary: SideSeen;
  readonly production: SideSeen;
}

export interface SideSeen {
  requests: number;
  errors: number;
  /** Answers by bucket (`latency-buckets.ts`). */
  readonly histogram: Uint32Array;
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
    side.histogram[answer] = (side.histogram[answer] ?? 0) + 1;
  }
  return seen;
}

export function noneSeen(): SideSeen {
  return { requests: 0, errors: 0, histogram: new Uint32Array(BUCKETS) };
}

export function addSeen(sum: SideSeen, { requests, errors, histogram }: SideSeen): void {
  sum.requests += requests;
  sum.errors += errors;
  for (let bucket = 0; bucket < BUCKETS; bucket++)
    sum.histogram[bucket] = (sum.histogram[bucket] ?? 0) + (histogram[bucket] ?? 0);
}

/** The bucket by nearest rank that a share `q` (0 to 1) of all requests do not exceed; 0 when there is none. */
export function quantileOf({ requests, histogram }: SideSeen, q: number): number {
  const rank = Math.max(1, Math.ceil(q * requests));
  let counted = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    counted += histogram[bucket] ?? 0;
    if (counted >= rank) return bucket;
  }
  return 0;
}

/** How many answers are slower than all of this bucket. */
export function slowerThan({ histogram }: SideSeen, limit: number): number {
  let slow = 0;
  for (let bucket = limit + 1; bucket < BUCKETS; bucket++) slow += histogram[bucket] ?? 0;
  return slow;
}
