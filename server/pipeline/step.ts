import type { AppRecord } from "../../core/records/apps/app-record.js";
import type { Phase } from "../../core/records/releases/phase.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { Settings } from "../../core/settings/settings.js";
import type { Repository } from "../git/repository.js";
import type { ReleasePatch } from "../releases/release-store.js";
import type { PipelineNeeds } from "./needs.js";
import type { Output } from "./output.js";

/**
 * One step of a release, in a file of its own. It can be run twice; what it did, `undo` takes back (also when it was cut
 * short, or never ran).
 */
export interface Step {
  readonly name: string;
  /** The phase that a release has reached when this step has finished. */
  readonly reaches: Phase;
  readonly timeoutMs: (settings: Settings) => number;
  readonly run: (release: ReleaseWork, signal: AbortSignal) => Promise<ReleasePatch | undefined>;
  readonly undo?: (release: ReleaseWork) => Promise<void>;
}

/** A release while it is being made: its record as far as it is, and everything a step works with. */
export interface ReleaseWork {
  readonly app: AppRecord;
  record: ReleaseRecord;
  readonly repository: Repository;
  readonly out: Output;
  /** The pusher asked for it, and may. */
  readonly skipGates: boolean;
  /** Shown to the pusher in the last line. */
  readonly beganAt: number;
  /** Instance → how often it had ended before this work started it: one that ran already may have a history. */
  readonly endsBefore: Map<string, number>;
  /** The switch was asked for: from then on nothing is undone until Redis has said whether it was made. */
  isSwitchTried: boolean;
  /** Revision of the route tables by which no proxy leads anybody to it any more; undefined: none ever did. */
  goneSince?: number;
  /** While the work releases its app: what writes only as long as the app is its own. */
  readonly tools: PipelineNeeds;
}
