import { tolerated } from "../../../server/canary/statistics/slow-limits.js";
import {
  windowedFrom,
  windowedValue,
  withNext,
} from "../../../server/canary/statistics/windowed-evidence.js";
import { addSeen, noneSeen, quantileOf, seenIn, slowerThan, type Seen } from "../judges/seen.js";
import { SECONDS, type Recording } from "../traffic/recording.js";
import { BY_REQUESTS, noRequestEvidence, withTallies, type RequestEvidence } from "./request-evidence.js";

const FALSE_ALARMS = 0.01;
const LEVELS = [0.5, 0.9, 0.99];
const MOST_PER_LOOK = 3;
const LEAST_ANSWERS = 100;
const WARM_UP_SECONDS = 10;

const LATENCY = {
  valueOf: (levels: readonly RequestEvidence[]) =>
    levels.reduce((sum, level) => sum + BY_REQUESTS.valueOf(level) / levels.length, 0),
  again: (levels: readonly RequestEvidence[]) => levels.map((level) => BY_REQUESTS.again(level)),
};

/** As Sluice judged before it counted visitors: each request is decided by its own throw of dice. */
export function byRequests(recording: Recording): number {
  const soFar = noneSeen();
  let errors = windowedFrom(noRequestEvidence());
  let latency = windowedFrom<readonly RequestEvidence[]>(LEVELS.map((level) => noRequestEvidence(1 - level)));
  for (let second = 0; second < SECONDS; second++) {
    const seen = seenIn(recording, second);
    const passed = { seconds: 1, requests: seen.canary.requests };
    errors = withNext(errors, (before) => withTallies(before, errorsIn(seen), Infinity), passed, BY_REQUESTS);
    if (second >= WARM_UP_SECONDS) {
      if (soFar.requests >= LEAST_ANSWERS) {
        const tallies = LEVELS.map((level) => slowIn(seen, quantileOf(soFar, level)));
        const step = (levels: readonly RequestEvidence[]): RequestEvidence[] =>
          levels.map((level, index) => withTallies(level, tallies[index] ?? errorsIn(seen), MOST_PER_LOOK));
        latency = withNext(latency, step, passed, LATENCY);
      }
      addSeen(soFar, seen.production);
    }
    const value = Math.max(windowedValue(errors, BY_REQUESTS), windowedValue(latency, LATENCY));
    if (value >= 1 / FALSE_ALARMS) return second;
  }
  return Infinity;
}

function errorsIn({ canary, production }: Seen) {
  return {
    bad: { canary: canary.errors, production: production.errors },
    all: { canary: canary.requests, production: production.requests },
  };
}

function slowIn({ canary, production }: Seen, limit: number) {
  return {
    bad: {
      canary: slowerThan(canary, tolerated(limit)),
      production: slowerThan(production, limit),
    },
    all: { canary: canary.requests, production: production.requests },
  };
}
