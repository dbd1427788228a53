import { bucketMs, bucketOf } from "../core/records/traffic/latency-buckets.js";
import { setImmediate } from "node:timers/promises";
import { ERRORS, noEvidence, withBlock, type Tally } from "../server/canary/statistics/evidence.js";
import { normalQuantile, wilsonInterval } from "../server/canary/statistics/interval.js";
import {
  noLatencyEvidence,
  canaryThreshold,
  LATENCY,
  withHistograms,
} from "../server/canary/statistics/latency-evidence.js";
import { windowedFrom, windowedValue, withNext } from "../server/canary/statistics/windowed-evidence.js";
import { judge } from "../server/canary/statistics/verdict.js";
import type { Bench } from "./bench.js";
import { seededRandom } from "./seeded-random.js";
import { median, quantile } from "./statistics.js";

const FALSE_ALARMS = 0.01;
const CANARY_SHARE = 0.3;
const REQUESTS_A_LOOK = 100;
const LOOKS = 1000;
const ERROR_SHARE = 0.005;
const MORE_ERRORS = 0.02;
const MEDIAN_MS = 20;
const SIGMA = 0.5;
/** The same median, and twice the p99. */
const DOUBLED_P99_SIGMA = SIGMA + Math.LN2 / normalQuantile(0.99);

/** A release as its visitors see it. */
interface Behaviour {
  readonly errorShare: number;
  /** The latencies' buckets, slower ones last, each as often as it is likely. */
  readonly buckets: readonly number[];
  /** In this part of the seconds its process stands still for 50 to 500 ms; what comes meanwhile waits. */
  readonly stalls: number;
}

/** A simulation: what the verdict on canaries is worth, without any requests. */
export const canary: Bench = {
  name: "canary",
  title: "how canaries are judged",
  limitSeconds: 240,
  run: async ({ quick, figure }) => {
    const random = seededRandom(1);
    const good = { errorShare: ERROR_SHARE, buckets: logNormalBuckets(SIGMA), stalls: 0 };
    for (const { name, stalls } of EQUALS) {
      const equal = await failures({ ...good, stalls }, { ...good, stalls }, quick ? 30 : 250, random);
      const failed = equal.filter(Number.isFinite).length;
      const { low, high } = wilsonInterval(failed, equal.length);
      figure({
        name,
        value: (failed / equal.length) * 100,
        unit: "%",
        aim: { atMost: 2 },
        spread: `between ${percent(low)} and ${percent(high)} with 95 % confidence`,
        method: `${equal.length} canaries as good as production (${percent(ERROR_SHARE)} errors, log-normal latencies${stalls === 0 ? "" : `; in ${percent(stalls)} of the seconds a process stands still for 50 to 500 ms`}), each looked at ${LOOKS} times, every ${REQUESTS_A_LOOK} requests.`,
      });
    }
    for (const { name, behaviour, shares } of defects(good)) {
      const needed = await failures(behaviour, good, quick ? 50 : 500, random);
      figure({
        name: `requests of the canary until ${name} is seen`,
        value: median(needed),
        unit: "requests",
        spread: `90 % within ${Math.round(quantile(needed, 0.9))}; a test of fixed size needs ${fixedSize(shares)}`,
        method: `Median of ${needed.length} canaries with ${percent(CANARY_SHARE)} of the traffic. Beside it: a two-proportion test of ${percent(FALSE_ALARMS)} false alarms and 90 % power that is told both shares (${percent(shares.production)} and ${percent(shares.canary)}) and is looked at once.`,
      });
    }
  },
};

const EQUALS = [
  { name: "equal canaries that failed", stalls: 0 },
  { name: "equal canaries that failed, with stalls", stalls: 1 / 30 },
  { name: "equal canaries that failed, with many stalls", stalls: 1 / 5 },
];

interface Defect {
  readonly name: string;
  readonly behaviour: Behaviour;
  /** Of bad requests, where a test that knew of the defect would look. */
  readonly shares: Shares;
}

interface Shares {
  readonly production: number;
  readonly canary: number;
}

function defects(good: Behaviour): readonly Defect[] {
  const slowTail = { ...good, buckets: logNormalBuckets(DOUBLED_P99_SIGMA) };
  return [
    {
      name: `a rise of errors from ${percent(ERROR_SHARE)} to ${percent(MORE_ERRORS)}`,
      behaviour: { ...good, errorShare: MORE_ERRORS },
      shares: { production: ERROR_SHARE, canary: MORE_ERRORS },
    },
    { name: "a doubled p99", behaviour: slowTail, shares: sharesAboveP99(good.buckets, slowTail.buckets) },
  ];
}

/** For each canary the requests that it had when it failed; infinite when it never did. */
async function failures(
  canary: Behaviour,
  production: Behaviour,
  canaries: number,
  random: () => number,
): Promise<number[]> {
  const found: number[] = [];
  while (found.length < canaries) {
    found.push(requestsUntilFailed(canary, production, random));
    // So that an interruption and the limit are heeded.
    await setImmediate();
  }
  return found;
}

function requestsUntilFailed(canary: Behaviour, production: Behaviour, random: () => number): number {
  const [canarySide, productionSide] = [new Side(canary), new Side(production)];
  let [errors, latency] = [windowedFrom(noEvidence()), windowedFrom(noLatencyEvidence())];
  for (let look = 0; look < LOOKS; look++) {
    for (const side of [canarySide, productionSide]) side.beginSecond(random);
    for (let request = 0; request < REQUESTS_A_LOOK; request++)
      (random() < CANARY_SHARE ? canarySide : productionSide).request(random);
    const [ofCanary, ofProduction] = [canarySide.look(), productionSide.look()];
    const passed = { seconds: 1, requests: ofCanary.tally.all };
    const tallies = { canary: ofCanary.tally, production: ofProduction.tally };
    const histograms = { canary: ofCanary.histogram, production: ofProduction.histogram };
    errors = withNext(errors, (evidence) => withBlock(evidence, tallies), passed, ERRORS);
    latency = withNext(latency, (evidence) => withHistograms(evidence, histograms), passed, LATENCY);
    const figures = {
      canary: canarySide.counts,
      production: productionSide.counts,
      eErrors: windowedValue(errors, ERRORS),
      eLatency: windowedValue(latency, LATENCY),
      requestsInStep: { canary: canarySide.counts.requests, production: productionSide.counts.requests },
    };
    const settings = { minRequests: 100, stepSeconds: LOOKS, falseAlarms: FALSE_ALARMS };
    if (judge({ ...figures, secondsInStep: look, against: "production" }, settings, bucketMs).word === "fail")
      return canarySide.counts.requests;
  }
  return Infinity;
}

/** What one release answers: since the last look, and in all. */
class Side {
  readonly counts = { requests: 0, errors: 0, histogram: new Map<number, number>() };
  #tally = { bad: 0, all: 0 };
  #histogram = new Map<number, number>();
  #stallMs = 0;

  constructor(private readonly behaviour: Behaviour) {}

  beginSecond(random: () => number): void {
    this.#stallMs = random() < this.behaviour.stalls ? 50 + 450 * random() : 0;
  }

  request(random: () => number): void {
    const { errorShare, buckets } = this.behaviour;
    const bad = Number(random() < errorShare);
    const usual = buckets[Math.floor(random() * buckets.length)] ?? 0;
    // It comes at any moment of the second: during the stall, or else not.
    const waitsMs = this.#stallMs - 1000 * random();
    const bucket = waitsMs > 0 ? Math.max(usual, bucketOf(waitsMs * 1000)) : usual;
    this.counts.requests++;
    this.counts.errors += bad;
    this.#tally.all++;
    this.#tally.bad += bad;
    for (const histogram of [this.counts.histogram, this.#histogram])
      histogram.set(bucket, (histogram.get(bucket) ?? 0) + 1);
  }

  look(): { tally: Tally; histogram: ReadonlyMap<number, number> } {
    const seen = { tally: this.#tally, histogram: this.#histogram };
    this.#tally = { bad: 0, all: 0 };
    this.#histogram = new Map();
    return seen;
  }
}

function logNormalBuckets(sigma: number): number[] {
  const size = 2 ** 16;
  return Array.from({ length: size }, (_, index) => {
    const latencyMs = MEDIAN_MS * Math.exp(sigma * normalQuantile((index + 0.5) / size));
    return bucketOf(latencyMs * 1000);
  });
}

/** Above production's p99, for the canary with the tolerance. */
function sharesAboveP99(production: readonly number[], canary: readonly number[]): Shares {
  const p99 = quantile(production, 0.99);
  const shareAbove = (buckets: readonly number[], limit: number): number =>
    buckets.filter((bucket) => bucket > limit).length / buckets.length;
  return { production: shareAbove(production, p99), canary: shareAbove(canary, canaryThreshold(p99)) };
}

/**
 * The canary's requests in a one-sided test of two proportions (J. L. Fleiss, "Statistical Methods for Rates and
 * Proportions", chapter 4, for unequal sizes, without continuity correction).
 */
function fixedSize({ production, canary }: Shares): number {
  const ratio = (1 - CANARY_SHARE) / CANARY_SHARE;
  const pooled = (canary + ratio * production) / (1 + ratio);
  const ofNull = Math.sqrt((1 + 1 / ratio) * pooled * (1 - pooled));
  const ofAlternative = Math.sqrt(canary * (1 - canary) + (production * (1 - production)) / ratio);
  const sum = normalQuantile(1 - FALSE_ALARMS) * ofNull + normalQuantile(0.9) * ofAlternative;
  return Math.ceil((sum / (canary - production)) ** 2);
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
