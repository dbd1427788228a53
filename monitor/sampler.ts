import type { Loads } from "../core/records/instance-loads.js";
import type { Sample } from "../core/records/sample.js";
import type { Reading } from "./reading.js";
import { loadsBetween, sampleBetween } from "./sample-between.js";

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

  /** The sample, and what every instance took; undefined where there is nothing to compare with. */
  sample(): { readonly sample: Sample; readonly loads: Loads } | undefined {
    const before = this.before;
    const after = this.readings.read();
    this.before = after;
    if (before === undefined || after === undefined) return undefined;
    return { sample: sampleBetween(before, after), loads: loadsBetween(before, after) };
  }

  close(): void {
    this.readings.close();
  }
}
