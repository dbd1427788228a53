import type { SeededRandom } from "./chance.js";

/** Seconds that each canary is beside production, and so the looks at it. */
export const SECONDS = 1000;

/**
 * All requests of one canary and of production, in the order of their seconds. Flat arrays: there are hundreds of millions of
 * requests in a bench.
 */
export interface Recording {
  readonly share: number;
  readonly requests: number;
  /** Index of the first request of a second; one more at the end. */
  readonly from: Uint32Array;
  /** Who sent it: an index into `isCanary`. */
  readonly visitor: Uint32Array;
  readonly isError: Uint8Array;
  /** `latency-buckets.ts` */
  readonly bucket: Uint8Array;
  readonly visitors: number;
  /** 1: chance has sent this visitor to the canary. */
  readonly isCanary: Uint8Array;
  /** From 0 up to 1: who they are, whichever cookie they have. */
  readonly person: Float32Array;
}

/** Writes requests in any order, and reads them in the order of their seconds. Its arrays serve one recording after another. */
export class Recorder {
  #requests = 0;
  #visitors = 0;
  #second = new Uint16Array(1 << 16);
  #visitor = new Uint32Array(1 << 16);
  #outcome = new Uint16Array(1 << 16);
  #isCanary = new Uint8Array(1 << 16);
  #person = new Float32Array(1 << 16);

  begin(): void {
    [this.#requests, this.#visitors] = [0, 0];
  }

  /** A visitor who has no ticket yet: chance decides. */
  addVisitor(person: number, share: number, random: SeededRandom): number {
    if (this.#visitors === this.#isCanary.length) {
      this.#isCanary = doubled(this.#isCanary, Uint8Array);
      this.#person = doubled(this.#person, Float32Array);
    }
    this.#person[this.#visitors] = person;
    this.#isCanary[this.#visitors] = random() < share ? 1 : 0;
    return this.#visitors++;
  }

  isCanary(visitor: number): boolean {
    return this.#isCanary[visitor] === 1;
  }

  addRequest(second: number, visitor: number, isError: boolean, bucket: number): void {
    if (this.#requests === this.#second.length) {
      this.#second = doubled(this.#second, Uint16Array);
      this.#visitor = doubled(this.#visitor, Uint32Array);
      this.#outcome = doubled(this.#outcome, Uint16Array);
    }
    this.#second[this.#requests] = second;
    this.#visitor[this.#requests] = visitor;
    this.#outcome[this.#requests] = bucket * 2 + (isError ? 1 : 0);
    this.#requests++;
  }

  /** A counting sort by second. */
  end(share: number): Recording {
    const from = new Uint32Array(SECONDS + 1);
    for (let index = 0; index < this.#requests; index++) increase(from, (this.#second[index] ?? 0) + 1);
    for (let second = 0; second < SECONDS; second++) increase(from, second + 1, from[second]);
    const next = from.slice();
    const visitor = new Uint32Array(this.#requests);
    const isError = new Uint8Array(this.#requests);
    const bucket = new Uint8Array(this.#requests);
    for (let index = 0; index < this.#requests; index++) {
      const at = increase(next, this.#second[index] ?? 0);
      const outcome = this.#outcome[index] ?? 0;
      visitor[at] = this.#visitor[index] ?? 0;
      isError[at] = outcome & 1;
      bucket[at] = outcome >> 1;
    }
    const [requests, visitors] = [this.#requests, this.#visitors];
    const [isCanary, person] = [this.#isCanary, this.#person];
    return { share, requests, from, visitor, isError, bucket, visitors, isCanary, person };
  }
}

/** Returns what it was before. */
function increase(numbers: Uint32Array, index: number, by = 1): number {
  const before = numbers[index] ?? 0;
  numbers[index] = before + by;
  return before;
}

function doubled<Numbers extends Uint8Array | Uint16Array | Uint32Array | Float32Array>(
  numbers: Numbers,
  type: new (length: number) => Numbers,
): Numbers {
  const larger = new type(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
