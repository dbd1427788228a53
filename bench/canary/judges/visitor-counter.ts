import { MANY_ERRORS } from "../../../core/records/traffic/traffic.js";
import type { Affected } from "../../../server/canary/statistics/evidence.js";
import { slowLimits, type SlowLimits } from "../../../server/canary/statistics/slow-limits.js";
import type { Recording } from "../traffic/recording.js";

/** What the proxy counts in a second. */
export interface Look {
  readonly visitors: Affected;
  readonly withErrors: Affected;
  readonly withManyErrors: Affected;
  readonly overP90: Affected;
  readonly overP99: Affected;
  /** The canary's. */
  readonly requests: number;
}

const WARM_UP_SECONDS = 60;
const ERROR = 1;
const OVER_P90 = 2;
const OVER_P99 = 4;
const MANY = 8;
const SEEN = 16;

/** Counts each visitor once, as the proxy does, and sets the limits of slow answers, as `setSlowLimits` does. */
export class VisitorCounter {
  /** For each visitor, what they were counted for. */
  readonly #counted: Uint8Array;
  readonly #errors: Uint8Array;
  readonly #histogram = new Map<number, number>();
  #answers = 0;
  #limits: SlowLimits | undefined;
  #answersOfLimits = 0;

  constructor(private readonly recording: Recording) {
    this.#counted = new Uint8Array(recording.visitors);
    this.#errors = new Uint8Array(recording.visitors);
  }

  look(second: number): Look {
    const { from, visitor, isCanary, isError, bucket } = this.recording;
    const counts = new Uint32Array(2 * SEEN);
    let requests = 0;
    for (let request = from[second] ?? 0; request < (from[second + 1] ?? 0); request++) {
      const who = visitor[request] ?? 0;
      const ofCanary = isCanary[who] ?? 0;
      const answer = bucket[request] ?? 0;
      const counted = this.#counted[who] ?? 0;
      const limits = ofCanary === 1 ? this.#limits?.canary : this.#limits?.production;
      let met = SEEN;
      if (isError[request] === 1) {
        const errors = Math.min(MANY_ERRORS, (this.#errors[who] ?? 0) + 1);
        this.#errors[who] = errors;
        met |= errors === MANY_ERRORS ? ERROR | MANY : ERROR;
      }
      if (limits !== undefined && answer > (limits[0] ?? 0)) met |= OVER_P90;
      if (limits !== undefined && answer > (limits[1] ?? 0)) met |= OVER_P99;
      if ((met & ~counted) !== 0) {
        this.#counted[who] = counted | met;
        for (let figure = ERROR; figure <= SEEN; figure *= 2)
          if ((met & ~counted & figure) !== 0) {
            const at = figure - 1 + ofCanary * SEEN;
            counts[at] = (counts[at] ?? 0) + 1;
          }
      }
      requests += ofCanary;
      if (ofCanary === 0 && second >= WARM_UP_SECONDS) {
        this.#histogram.set(answer, (this.#histogram.get(answer) ?? 0) + 1);
        this.#answers++;
      }
    }
    this.#setLimits();
    const affected = (figure: number): Affected => ({
      production: counts[figure - 1] ?? 0,
      canary: counts[figure - 1 + SEEN] ?? 0,
    });
    return {
      visitors: affected(SEEN),
      withErrors: affected(ERROR),
      withManyErrors: affected(MANY),
      overP90: affected(OVER_P90),
      overP99: affected(OVER_P99),
      requests,
    };
  }

  #setLimits(): void {
    if (this.#answers < 2 * this.#answersOfLimits) return;
    const limits = slowLimits(this.#histogram);
    if (limits === undefined) return;
    [this.#limits, this.#answersOfLimits] = [limits, this.#answers];
  }
}
