export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** `successes` of `trials`. */
export interface Share {
  readonly successes: number;
  readonly trials: number;
}

/** Below it nothing is gained but errors of rounding. */
const SMALLEST_STEP = 1e-13;

/**
 * Where a share lies, by the score test without continuity correction (E. B. Wilson, "Probable inference, the law of
 * succession, and statistical inference", 1927). 0 to 1 when nothing was tried.
 */
export function wilsonInterval(successes: number, trials: number, confidence = 0.95): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const z = normalQuantile((1 + confidence) / 2);
  const share = successes / trials;
  const scale = 1 + z ** 2 / trials;
  const middle = (share + z ** 2 / (2 * trials)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / trials + (z / (2 * trials)) ** 2);
  // Exact where nothing or everything succeeded; elsewhere the bounds are inside by themselves.
  return {
    low: successes === 0 ? 0 : middle - half,
    high: successes === trials ? 1 : middle + half,
  };
}

/**
 * Where the share of `a` minus the share of `b` lies: the hybrid score interval, method 10 of R. G. Newcombe, "Interval
 * estimation for the difference between independent proportions", 1998. −1 to 1 when nothing was tried on a side.
 */
export function differenceInterval(a: Share, b: Share, confidence = 0.95): Interval {
  if (a.trials === 0 || b.trials === 0) return { low: -1, high: 1 };
  const [shareA, shareB] = [a.successes / a.trials, b.successes / b.trials];
  const ofA = wilsonInterval(a.successes, a.trials, confidence);
  const ofB = wilsonInterval(b.successes, b.trials, confidence);
  return {
    low: shareA - shareB - Math.hypot(shareA - ofA.low, ofB.high - shareB),
    high: shareA - shareB + Math.hypot(ofA.high - shareA, shareB - ofB.low),
  };
}

/**
 * What a standard normal value stays below with this probability (above 0, below 1). Newton's method on the cumulative
 * distribution, from the middle: that is concave to the right of it, so the steps never go past the answer.
 */
export function normalQuantile(probability: number): number {
  if (probability < 0.5) return -normalQuantile(1 - probability);
  let z = 0;
  let step: number;
  do {
    step = (probability - normalCumulative(z)) / normalDensity(z);
    z += step;
  } while (step > SMALLEST_STEP);
  return z;
}

/** G. Marsaglia, "Evaluating the normal distribution", 2004: a series of positive terms, for z ≥ 0. */
function normalCumulative(z: number): number {
  let [term, total] = [z, z];
  for (let odd = 3; term > total * Number.EPSILON; odd += 2) {
    term *= z ** 2 / odd;
    total += term;
  }
  return 0.5 + total * normalDensity(z);
}

function normalDensity(z: number): number {
  return Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI);
}
