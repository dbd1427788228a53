import type { Loads } from "../core/records/instance-loads.js";
import type { Sample } from "../core/records/sample.js";
import type { Reading } from "./reading.js";
import { loadsBetween, sampleBetween } from "./sample-between.js";

/** Where readings come from; undefined where there are none to be had. */
export interface Readings {
  read(): Promise<Reading | undefined>;
  close(): void;
}

/** Makes samples of a host: each tells of the time since the one before. */
export class Sampler {
  private before: Promise<Reading | undefined>;

  constructor(private readonly readings: Readings) {
    this.before = readings.read();
  }

  /**
   * The sample, and what every instance took; undefined where there is nothing to compare with. One at a time: the next is asked
   * for when this one is there.
   */
  async sample(): Promise<{ readonly sample: Sample; readonly loads: Loads } | undefined> {
    const before = await this.before;
    this.before = this.readings.read();
    const after = await this.before;
    if (before === undefined || after === undefined) return undefined;
    return { sample: sampleBetween(before, after), loads: loadsBetween(before, after) };
  }

  close(): void {
    this.readings.close();
  }
}
