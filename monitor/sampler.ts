import type { Sample } from "../core/records/sample.js";
import type { Reading } from "./reading.js";
import { sampleBetween } from "./sample-between.js";

/** Where readings come from; undefined where there are none to be had. */
export interface Readings {
  read(): Reading | undefined;
  close(): void;
}

/** Makes samples of a host: each tells of the time since the one before. */
export class Sampler {
  private before: Reading | undefined;

  constructor(private readonly readings: Readings) {
    this.before = readings.read();
  }

  /** Undefined where there is nothing to compare with. */
  sample(): Sample | undefined {
    const before = this.before;
    const after = this.readings.read();
    this.before = after;
    return before === undefined || after === undefined ? undefined : sampleBetween(before, after);
  }

  close(): void {
    this.readings.close();
  }
}
