import { geometric, type SeededRandom } from "./chance.js";

/** Visitors of one kind. */
export interface Crowd {
  /** New ones; without a cookie they are counted at each request. */
  readonly perSecond: number;
  /** How many of them there are at this second: a factor of `perSecond`. */
  readonly tide?: (second: number) => number;
  readonly requests: (random: SeededRandom) => number;
  /** Between two requests of a visitor, on average. */
  readonly gapSeconds: number;
  /** Chance decides about one without a cookie at each request. */
  readonly hasCookie: boolean;
  /** The probability that the cookie is lost before a request. */
  readonly losesCookie?: number;
  /** Of their requests, whatever the release. */
  readonly errorShare?: number;
  /** A factor of their latencies. */
  readonly slowness?: number;
}

/** Ten requests each, spread over about a minute. */
export function people(requestsPerSecond: number): Crowd {
  const requests = 10;
  return {
    perSecond: requestsPerSecond / requests,
    requests: (random) => geometric(requests, random),
    gapSeconds: 6,
    hasCookie: true,
  };
}

/** Programs without cookies: each request stands for itself. */
export function bots(requestsPerSecond: number): Crowd {
  return { perSecond: requestsPerSecond, requests: () => 1, gapSeconds: 1, hasCookie: false };
}
