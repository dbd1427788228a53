import { bucketMs } from "../../../core/records/traffic/latency-buckets.js";
import { normalQuantile } from "../../../server/canary/statistics/interval.js";
import { quantileOf, seenIn, type SideSeen } from "../judges/seen.js";
import { SECONDS, type Recording } from "../traffic/recording.js";

const SAMPLE_SECONDS = 60;
const CONFIDENCE = 0.98;
/** Of the estimated difference. */
const TOLERANCE = 0.25;
const FEWEST_SAMPLES = 5;

const METRICS: readonly ((side: SideSeen) => number)[] = [
  ({ requests, errors }) => (requests === 0 ? 0 : errors / requests),
  (side) => bucketMs(quantileOf(side, 0.99)),
];

/**
 * Mann-Whitney as Kayenta's `NetflixACAJudge` uses it, with its confidence and tolerance: a value a minute of each metric, the
 * error share and p99. A metric is high when the confidence interval of the difference lies above a quarter of the estimated
 * difference. One that is high fails the canary. Judged at the end only, or after each minute from the fifth on. Spinnaker's
 * "Best practices for configuring canary" ask for 50 values and hours of time; here are 16.
 */
export function kayenta(recording: Recording, when: "at the end" | "each minute"): number {
  const series = METRICS.map(() => ({ canary: [] as number[], production: [] as number[] }));
  for (let second = 0; second + SAMPLE_SECONDS <= SECONDS; second += SAMPLE_SECONDS) {
    const { canary, production } = seenIn(recording, second, SAMPLE_SECONDS);
    for (const [index, metric] of METRICS.entries()) {
      series[index]?.canary.push(metric(canary));
      series[index]?.production.push(metric(production));
    }
    const isLast = second + 2 * SAMPLE_SECONDS > SECONDS;
    const isJudged = when === "each minute" ? (series[0]?.canary.length ?? 0) >= FEWEST_SAMPLES : isLast;
    if (isJudged && series.some((metric) => isHigh(metric))) return second + SAMPLE_SECONDS - 1;
  }
  return Infinity;
}

/** The interval of Hodges and Lehmann: of all differences between a value here and one there, those of the test's ranks. */
function isHigh({
  canary,
  production,
}: {
  readonly canary: readonly number[];
  readonly production: readonly number[];
}): boolean {
  const differences = canary
    .flatMap((ofCanary) => production.map((ofProduction) => ofCanary - ofProduction))
    .sort((a, b) => a - b);
  const [pairs, values] = [differences.length, canary.length + production.length];
  const z = normalQuantile((1 + CONFIDENCE) / 2);
  const rank = Math.floor(pairs / 2 - z * Math.sqrt((pairs * (values + 1)) / 12));
  if (rank < 1) return false;
  const middle = (differences[Math.floor((pairs - 1) / 2)] ?? 0) + (differences[Math.floor(pairs / 2)] ?? 0);
  return (differences[rank - 1] ?? 0) > TOLERANCE * Math.abs(middle / 2);
}
