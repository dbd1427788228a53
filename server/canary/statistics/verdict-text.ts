import { MANY_ERRORS } from "../../../core/records/traffic/traffic.js";
import type { TrackNumbers, VerdictNumbers } from "./verdict-numbers.js";

type Sides = Pick<VerdictNumbers, "canary" | "production" | "against">;

/** What the canary is compared with, within a sentence. */
export function rivalText({ against }: Pick<VerdictNumbers, "against">): string {
  return against === "baseline" ? "the baseline" : "production";
}

/** `errors 2.1 % of 2,050 requests, production 0.5 % of 4,800`. */
export function errorsText({ canary, production, against }: Sides): string {
  return `errors ${errorsOf(canary, " requests")}, ${against} ${errorsOf(production, "")}`;
}

/** `21 of 340 visitors met an error, production's 3 of 800`; where some met many, that too: `; 9 met three or more, …`. */
export function metErrorsText(sides: Sides): string {
  const { canary, production, against } = sides;
  const met = metText(sides, "visitorsWithErrors", "met an error");
  const [many, others] = [canary.visitorsWithManyErrors, production.visitorsWithManyErrors];
  return many + others === 0
    ? met
    : `${met}; ${countText(many)} met ${MANY_ERRORS} or more, ${against}'s ${countText(others)}`;
}

/** `21 of 340 visitors met a slow answer, production's 3 of 800`. */
export function metSlownessText(sides: Sides): string {
  return metText(sides, "visitorsOverP99", "met a slow answer");
}

/** `p50 12 ms and p99 812 ms, production 10 ms and 260 ms`. */
export function latencyText({ canary, production, against }: Sides): string {
  return `p50 ${ms(canary.p50Ms)} and p99 ${ms(canary.p99Ms)}, ${against} ${ms(production.p50Ms)} and ${ms(production.p99Ms)}`;
}

/** An e-value is reached by chance with a probability of at most 1 in so many. */
export function chanceText(e: number): string {
  const times = e >= 1e6 ? "a million" : countText(Math.floor(e));
  return `By chance, at most one in ${times} canaries that are as good as production would look like this.`;
}

export function percentText(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

export function countText(value: number): string {
  return value.toLocaleString("en");
}

function metText(
  { canary, production, against }: Sides,
  figure: "visitorsWithErrors" | "visitorsOverP99",
  did: string,
): string {
  const of = (track: TrackNumbers): string => `${countText(track[figure])} of ${countText(track.visitors)}`;
  return `${of(canary)} visitors ${did}, ${against}'s ${of(production)}`;
}

function errorsOf({ errorShare, requests }: TrackNumbers, noun: string): string {
  return errorShare === null ? "none" : `${percentText(errorShare)} of ${countText(requests)}${noun}`;
}

function ms(value: number | null): string {
  return value === null
    ? "unknown"
    : `${value >= 100 ? countText(Math.round(value)) : Number(value.toPrecision(3))} ms`;
}
