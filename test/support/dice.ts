/** Chance that is the same for the same seed: a linear congruential generator modulo 2^32 (constants of Numerical Recipes). */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 to below 1. */
  readonly next = (): number => {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.state / 2 ** 32;
  };

  /** A whole number from `least` to below `limit`. */
  between(least: number, limit: number): number {
    return least + Math.floor(this.next() * (limit - least));
  }

  oneOf<T>(choices: readonly T[]): T {
    const choice = choices[this.between(0, choices.length)];
    if (choice === undefined) throw new Error("nothing to choose from");
    return choice;
  }

  /** What one of these makes; only that one is run. */
  madeBy<T>(makers: readonly (() => T)[]): T {
    return this.oneOf(makers)();
  }

  /** One of the words of a text. */
  word(words: string): string {
    return this.oneOf(words.split(" "));
  }

  /** The usual seven times of ten. */
  mostly<T>(usual: T, other: () => T): T {
    return this.next() < 0.7 ? usual : other();
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.between(0, 256)));
  }

  /** Of at most so many bytes: letters, or anything. */
  text(most: number): string {
    return this.bytes(this.between(0, most)).toString(this.oneOf(["latin1", "utf8", "base64"]));
  }
}
