import { verdictNumbers, type Figures, type TrackNumbers, type VerdictNumbers } from "./verdict-numbers.js";
import {
  chanceText,
  countText,
  errorsText,
  latencyText,
  metErrorsText,
  metSlownessText,
  percentText,
  rivalText,
} from "./verdict-text.js";

export interface Verdict {
  readonly word: "pass" | "fail" | "hold";
  /** A sentence for people, with the numbers. */
  readonly reason: string;
  readonly numbers: VerdictNumbers;
}

export interface VerdictSettings {
  /** Requests of the canary that a verdict needs in each step, hard limits and clear evidence aside. */
  readonly minRequests: number;
  /** 0 to 1. */
  readonly maxErrorShare?: number;
  /** The canary's p99 to production's. */
  readonly maxP99Ratio?: number;
  /** How long a step lasts at least. */
  readonly stepSeconds: number;
  /**
   * The share of canaries as good as production that may fail by chance, 0 to 1, however often they are looked at; for
   * errors and for latency each.
   */
  readonly falseAlarms: number;
}

type Ruling = Pick<Verdict, "word" | "reason">;
/** Undefined: it has nothing to say. */
type Rule = (numbers: VerdictNumbers, settings: VerdictSettings) => Ruling | undefined;

/** The first that has something to say decides. */
const RULES: readonly Rule[] = [
  errorLimit,
  latencyLimit,
  moreErrors,
  slower,
  tooFewRequests,
  tooFewVisitors,
  undecided,
  stepNotOver,
];
/** One visitor decides nothing, neither that a canary is good nor that it is bad. */
const LEAST_VISITORS = 5;
/** Hard limits need so many visitors, some of whom met what is limited, and a p99 so many answers, to mean something. */
const LIMIT_VISITORS = 20;
const P99_ANSWERS = 100;

/** `bucketMs`: the milliseconds that a bucket of the histograms stands for. */
export function judge(
  figures: Figures,
  settings: VerdictSettings,
  bucketMs: (index: number) => number,
): Verdict {
  const numbers = verdictNumbers(figures, bucketMs);
  for (const rule of RULES) {
    const ruling = rule(numbers, settings);
    if (ruling !== undefined) return { ...ruling, numbers };
  }
  const reason = `The canary shows no sign of being worse than ${rivalText(numbers)}: ${metErrorsText(numbers)}; ${errorsText(numbers)}, ${latencyText(numbers)}.`;
  return { word: "pass", reason, numbers };
}

/** Of the requests and of the visitors: some who fail all the time are not many. */
function errorLimit(numbers: VerdictNumbers, { maxErrorShare }: VerdictSettings): Ruling | undefined {
  const { canary, production } = numbers;
  if (maxErrorShare === undefined || canary.visitors < LIMIT_VISITORS) return undefined;
  if (canary.visitorsWithErrors < LEAST_VISITORS) return undefined;
  for (const shareOf of [errorShare, shareWithErrors]) {
    // What production does as well is not the canary's fault.
    if (shareOf(canary) <= Math.max(maxErrorShare, shareOf(production))) return undefined;
  }
  return fail(
    `The canary fails more requests than the allowed ${percentText(maxErrorShare)}: ${errorsText(numbers)}; ${metErrorsText(numbers)}.`,
  );
}

function latencyLimit(numbers: VerdictNumbers, { maxP99Ratio }: VerdictSettings): Ruling | undefined {
  const { canary, production } = numbers;
  if (maxP99Ratio === undefined || canary.visitors < LIMIT_VISITORS) return undefined;
  if (canary.visitorsOverP99 < LEAST_VISITORS) return undefined;
  if (canary.answers < P99_ANSWERS || production.answers < P99_ANSWERS) return undefined;
  if ((canary.p99Ms ?? 0) <= maxP99Ratio * (production.p99Ms ?? 0)) return undefined;
  return fail(
    `The canary's p99 is more than the allowed ${maxP99Ratio} times that of ${rivalText(numbers)}: ${latencyText(numbers)}; ${metSlownessText(numbers)}.`,
  );
}

function moreErrors(numbers: VerdictNumbers, { falseAlarms }: VerdictSettings): Ruling | undefined {
  if (numbers.eErrors < 1 / falseAlarms) return undefined;
  return fail(
    `The canary's visitors meet errors more often than those of ${rivalText(numbers)}: ${metErrorsText(numbers)}; ${errorsText(numbers)}. ${chanceText(numbers.eErrors)}`,
  );
}

function slower(numbers: VerdictNumbers, { falseAlarms }: VerdictSettings): Ruling | undefined {
  if (numbers.eLatency < 1 / falseAlarms) return undefined;
  return fail(
    `The canary's visitors meet slow answers more often than those of ${rivalText(numbers)}: ${metSlownessText(numbers)}; ${latencyText(numbers)}. ${chanceText(numbers.eLatency)}`,
  );
}

const NOTHING_TO_COMPARE_WITH = {
  production: "Production had no requests to compare with the canary's.",
  baseline:
    "The baseline (fresh instances of production's release) had no requests to compare with the canary's.",
} as const;

/** No data is no verdict, and never a good one, whatever the settings and the steps before. */
function tooFewRequests(
  { requestsInStep, against }: VerdictNumbers,
  { minRequests }: VerdictSettings,
): Ruling | undefined {
  const needed = Math.max(1, minRequests);
  if (requestsInStep.canary < needed)
    return hold(
      `The canary has had ${countText(requestsInStep.canary)} of the ${countText(needed)} requests needed in this step.`,
    );
  if (requestsInStep.production === 0) return hold(NOTHING_TO_COMPARE_WITH[against]);
  return undefined;
}

function tooFewVisitors({ visitorsInStep, against }: VerdictNumbers): Ruling | undefined {
  if (visitorsInStep.canary < LEAST_VISITORS)
    return hold(
      `The canary has had ${countText(visitorsInStep.canary)} of the ${LEAST_VISITORS} visitors needed in this step; who came before it began does not count.`,
    );
  if (visitorsInStep.production === 0) return hold(NOTHING_TO_COMPARE_WITH[against]);
  return undefined;
}

function undecided(numbers: VerdictNumbers, { falseAlarms }: VerdictSettings): Ruling | undefined {
  const doubtful = Math.sqrt(1 / falseAlarms);
  if (numbers.eErrors >= doubtful)
    return hold(
      `It is not clear yet whether the canary's visitors meet errors more often than those of ${rivalText(numbers)}: ${metErrorsText(numbers)}.`,
    );
  if (numbers.eLatency >= doubtful)
    return hold(
      `It is not clear yet whether the canary is slower than ${rivalText(numbers)}: ${metSlownessText(numbers)}.`,
    );
  return undefined;
}

function stepNotOver(
  { secondsInStep, ...numbers }: VerdictNumbers,
  { stepSeconds }: VerdictSettings,
): Ruling | undefined {
  if (secondsInStep >= stepSeconds) return undefined;
  const left = Math.ceil(stepSeconds - secondsInStep);
  return hold(
    `No sign so far that the canary is worse; the step has ${left} s left: ${errorsText(numbers)}.`,
  );
}

function errorShare(track: TrackNumbers): number {
  return track.errorShare ?? 0;
}

function shareWithErrors({ visitors, visitorsWithErrors }: TrackNumbers): number {
  return visitors === 0 ? 0 : visitorsWithErrors / visitors;
}

function fail(reason: string): Ruling {
  return { word: "fail", reason };
}

function hold(reason: string): Ruling {
  return { word: "hold", reason };
}
