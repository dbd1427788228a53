import { BUCKETS, bucketRange } from "../../../core/records/traffic/latency-buckets.js";

/**
 * The buckets of latency as a map that HAProxy finds by the longest prefix: microseconds read as an IPv4 address. A bucket
 * is as wide as a power of two and begins at a multiple of it, so it is a network.
 */
export function bucketMapText(): string {
  const lines = Array.from({ length: BUCKETS }, (_, index) => {
    const { from, to } = bucketRange(index);
    return `${addressOf(from)}/${32 - Math.log2(to - from)} ${index}\n`;
  });
  // What is slower than all of them.
  return `0.0.0.0/0 ${BUCKETS - 1}\n${lines.join("")}`;
}

function addressOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
