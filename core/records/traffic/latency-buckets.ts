/** Buckets of a latency histogram to a factor of 2; with 8 a value in the middle of its bucket is at most 6 % off. */
export const BUCKETS_PER_OCTAVE = 8;
/** What is faster than 2^7 µs is all in bucket 0. */
const FIRST_OCTAVE = 7;
/** Up to 2^26 µs (67 s); what is slower is in the last bucket. */
const LAST_OCTAVE = 25;
export const BUCKETS = 1 + (LAST_OCTAVE - FIRST_OCTAVE + 1) * BUCKETS_PER_OCTAVE;

/** The microseconds that belong to a bucket: from `from` on, below `to`. Buckets of an octave are equally wide. */
export function bucketRange(index: number): { readonly from: number; readonly to: number } {
  if (index <= 0) return { from: 0, to: 2 ** FIRST_OCTAVE };
  const octave = 2 ** (FIRST_OCTAVE + Math.floor((index - 1) / BUCKETS_PER_OCTAVE));
  const step = octave / BUCKETS_PER_OCTAVE;
  const from = octave + ((index - 1) % BUCKETS_PER_OCTAVE) * step;
  return { from, to: from + step };
}

/** The bucket of so many microseconds. */
export function bucketOf(microseconds: number): number {
  if (microseconds < 2 ** FIRST_OCTAVE) return 0;
  const octave = Math.floor(Math.log2(microseconds));
  const part = Math.floor((microseconds / 2 ** octave - 1) * BUCKETS_PER_OCTAVE);
  return Math.min(BUCKETS - 1, 1 + (octave - FIRST_OCTAVE) * BUCKETS_PER_OCTAVE + part);
}

/** What a bucket stands for: its middle, in milliseconds. */
export function bucketMs(index: number): number {
  const { from, to } = bucketRange(index);
  return (from + to) / 2 / 1000;
}
