import type { Figure } from "./figure.js";
import type { Workshop } from "./workshop.js";

/** One bench: makes what it measures in the workshop, and tells each figure as soon as it is known. */
export interface Bench {
  readonly name: string;
  readonly title: string;
  /** It is ended after this long, so that the whole stays bounded. */
  readonly limitSeconds: number;
  readonly run: (bench: BenchRun) => Promise<void>;
}

export interface BenchRun {
  readonly workshop: Workshop;
  /** A short try: fewer rounds, for finding out whether it works. */
  readonly quick: boolean;
  readonly figure: (figure: Figure) => void;
  /** A line about what goes on, or must be known to read the figures. */
  readonly note: (text: string) => void;
}
