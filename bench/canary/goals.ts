import {
  differenceInterval,
  wilsonInterval,
  type Interval,
} from "../../server/canary/statistics/interval.js";
import type { Recording } from "./traffic/recording.js";

const PRODUCTION = 0.1;
const TWO_POINTS = 0.02;

/** What an A/B test shows with 95 % confidence: each question is whether that is true. */
export const INTERVALS: readonly {
  readonly name: string;
  readonly isTrue: (recording: Recording) => boolean;
}[] = [
  { name: "the canary's share", isTrue: (recording) => holdsShare(goalsIn(recording, 0)) },
  { name: "a difference of 0 points", isTrue: (recording) => holdsDifference(goalsIn(recording, 0), 0) },
  {
    name: "a difference of 2 points",
    isTrue: (recording) => holdsDifference(goalsIn(recording, TWO_POINTS), TWO_POINTS),
  },
];

interface Goals {
  readonly canary: { successes: number; trials: number };
  readonly production: { successes: number; trials: number };
}

/** Each person reaches the goal, or does not, with every cookie they have. `more`: of the canary's share. */
function goalsIn({ visitors, isCanary, person }: Recording, more: number): Goals {
  const goals = { canary: { successes: 0, trials: 0 }, production: { successes: 0, trials: 0 } };
  for (let visitor = 0; visitor < visitors; visitor++) {
    const ofCanary = isCanary[visitor] === 1;
    const side = ofCanary ? goals.canary : goals.production;
    side.trials++;
    // The smallest are those for whom a release may fail.
    side.successes += 1 - (person[visitor] ?? 0) < PRODUCTION + (ofCanary ? more : 0) ? 1 : 0;
  }
  return goals;
}

function holdsShare({ canary }: Goals): boolean {
  return holds(wilsonInterval(canary.successes, canary.trials), PRODUCTION);
}

function holdsDifference({ canary, production }: Goals, difference: number): boolean {
  return holds(differenceInterval(canary, production), difference);
}

function holds({ low, high }: Interval, value: number): boolean {
  return low <= value && value <= high;
}
