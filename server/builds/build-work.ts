import type { AppRecord } from "../../core/records/apps/app-record.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import type { BuildsNeeds } from "./needs.js";

/** What people read while something is built. */
export interface BuildOutput {
  line(text: string): void;
  /** Says now and then that `what` still runs. */
  alive<T>(what: string, work: Promise<T>): Promise<T>;
}

/** A release as far as a build knows it. */
export interface BuildWork {
  readonly app: AppRecord;
  readonly record: Pick<ReleaseRecord, "app" | "number" | "commit" | "track" | "artifact">;
  readonly out: BuildOutput;
  readonly tools: BuildsNeeds;
}
