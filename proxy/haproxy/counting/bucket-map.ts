import { BUCKETS, bucketRange } from "../../../core/records/traffic/latency-buckets.js";

/**
 * The latency buckets as a map that HAProxy looks up by the longest prefix, with microseconds as IPv4 addresses. A bucket's
 * width is a power of two and it begins at a multiple of its width, so it is a network.
 */
export function bucketMapText(): string {
  const lines = Array.from({ length: BUCKETS }, (_, index) => {
    const { from, to } = bucketRange(index);
    return `${addressOf(from)}/${32 - Math.log2(to - from)} ${index}\n`;
  });
  // Whatever is slower than all of them.
  return `0.0.0.0/0 ${BUCKETS - 1}\n${lines.join("")}`;
}

function addressOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
