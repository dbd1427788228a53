import type { Loads } from "../../core/records/scaling/instance-loads.js";
import type { Sample } from "../../core/records/hosts/sample.js";
import type { Reading } from "./reading.js";
import { loadsBetween, sampleBetween, type AppNames } from "./sample-between.js";

/** Where readings come from; undefined where there are none to be had. */
export interface Readings {
  read(): Promise<Reading | undefined>;
  close(): void;
}

export interface Taken {
  readonly sample: Sample;
  /** What the instances of these apps took. */
  readonly loadsOf: (apps: AppNames) => Loads;
}

/** Makes samples of a host: each tells of the time since the one before. */
export class Sampler {
  private before: Promise<Reading | undefined>;

  constructor(private readonly readings: Readings) {
    this.before = readings.read();
  }

  /** Undefined where there is nothing to compare with. One at a time: the next is asked for when this one is there. */
  async sample(): Promise<Taken | undefined> {
    const before = await this.before;
    this.before = this.readings.read();
    const after = await this.before;
    if (before === undefined || after === undefined) return undefined;
    return {
      sample: sampleBetween(before, after),
      loadsOf: (apps) => loadsBetween(before, after, apps),
    };
  }

  close(): void {
    this.readings.close();
  }
}
