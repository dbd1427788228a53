/** Bucket index → count. A higher index is slower. */
export type Histogram = ReadonlyMap<number, number>;

/** The bucket of the value by nearest rank that a share `q` (0 to 1) of all do not exceed; undefined when there is none. */
export function quantileBucket(histogram: Histogram, q: number): number | undefined {
  // 0.07 × 100 is a little more than 7 in binary.
  const rank = Math.max(1, Math.ceil(q * countIn(histogram) - 1e-9));
  let counted = 0;
  for (const [bucket, count] of [...histogram].sort(([a], [b]) => a - b)) {
    counted += count;
    if (counted >= rank) return bucket;
  }
  return undefined;
}

export function countIn(histogram: Histogram): number {
  let total = 0;
  for (const count of histogram.values()) total += count;
  return total;
}
