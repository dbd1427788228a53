/**
 * Evidence from the beginning, and beside it evidence that begins again now and then: what was collected in good times would have
 * to be used up first when a canary turns bad later. Plain JSON.
 */
export interface WindowedEvidence<Evidence> {
  readonly whole: Evidence;
  readonly window: Window<Evidence>;
  /** What the windows that are over are worth together. */
  readonly ended: number;
}

interface Window<Evidence> {
  readonly evidence: Evidence;
  /** From 1 on. */
  readonly index: number;
  readonly seconds: number;
  /** The canary's. */
  readonly requests: number;
}

/** What is to be known of a kind of evidence. */
export interface Kind<Evidence> {
  /** Its e-value: 1 on average, at most, for a canary that is no worse. */
  readonly valueOf: (evidence: Evidence) => number;
  /** None yet, with what `whole` has learnt of production. */
  readonly again: (whole: Evidence) => Evidence;
}

/** A window lasts so long, and until it has seen so many requests. */
const WINDOW_SECONDS = 600;
const WINDOW_REQUESTS = 500;

export function windowedFrom<Evidence>(none: Evidence): WindowedEvidence<Evidence> {
  return { whole: none, window: { evidence: none, index: 1, seconds: 0, requests: 0 }, ended: 0 };
}

/** With one more block. When a window ends is known before its last block is seen, so that nobody can choose by it. */
export function withNext<Evidence>(
  { whole, window, ended }: WindowedEvidence<Evidence>,
  step: (evidence: Evidence) => Evidence,
  block: { readonly seconds: number; readonly requests: number },
  { valueOf, again }: Kind<Evidence>,
): WindowedEvidence<Evidence> {
  const isOver = window.seconds >= WINDOW_SECONDS && window.requests >= WINDOW_REQUESTS;
  const open = isOver ? { evidence: again(whole), index: window.index + 1, seconds: 0, requests: 0 } : window;
  return {
    whole: step(whole),
    window: {
      evidence: step(open.evidence),
      index: open.index,
      seconds: open.seconds + block.seconds,
      requests: open.requests + block.requests,
    },
    ended: isOver ? ended + weightOf(window.index) * valueOf(window.evidence) : ended,
  };
}

/** A mean of e-values whose weights add up to at most 1 is one: half for the whole, the other half for all windows together. */
export function windowedValue<Evidence>(
  { whole, window, ended }: WindowedEvidence<Evidence>,
  { valueOf }: Pick<Kind<Evidence>, "valueOf">,
): number {
  return (valueOf(whole) + ended + weightOf(window.index) * valueOf(window.evidence)) / 2;
}

/** 1/2 + 1/6 + 1/12 + … = 1: the hundredth window needs some twice the requests of the first. */
function weightOf(index: number): number {
  return 1 / (index * (index + 1));
}
