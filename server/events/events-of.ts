import { releaseName } from "../../core/names.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { BASELINE, CANARY, PRODUCTION } from "../../core/records/routes/route-table.js";
import type { AppEventType } from "../../core/records/apps/app-event-type.js";
import type { AppEvent } from "./app-event.js";

interface Told {
  readonly at: string;
  readonly url: string | undefined;
}

/** What a canary's verdict led to, as its record keeps it. */
export interface CanaryDecision {
  readonly at: string;
  readonly word: "pass" | "fail" | "hold";
  readonly reason: string;
  readonly action: "raise" | "promote" | "abort" | "none";
}

/** What a change of a release's record tells; `before` is undefined for a new one. `at`: now; `url`: of its track. Pure. */
export function eventOfRelease(
  before: ReleaseRecord | undefined,
  after: ReleaseRecord,
  { at, url }: Told,
): AppEvent | undefined {
  const type = typeOfChange(before, after);
  if (type === undefined) return undefined;
  const event = eventOf(type, after, at, url);
  const reason = type === "release.failed" ? after.error?.message : undefined;
  return reason === undefined ? event : { ...event, reason };
}

/**
 * What a canary's decision tells, if it is a new one: that the canary goes, or that it is bad and was left to people. A
 * promotion is told by its release's record, once it is done. Pure.
 */
export function eventOfDecision(
  { at, word, action, reason }: CanaryDecision,
  canary: ReleaseRecord,
  url: string | undefined,
): AppEvent | undefined {
  if (word !== "fail") return undefined;
  if (action === "abort") return { ...eventOf("canary.aborted", canary, at, url), reason };
  return action === "none" ? { ...eventOf("canary.failed", canary, at, url), reason } : undefined;
}

/** What it tells that a release has left its track; of a preview nothing. Pure. */
export function eventOfDeparture(
  release: ReleaseRecord,
  { at, url, reason }: Told & { readonly reason: string },
): AppEvent | undefined {
  return release.track === CANARY ? { ...eventOf("canary.aborted", release, at, url), reason } : undefined;
}

function typeOfChange(before: ReleaseRecord | undefined, after: ReleaseRecord): AppEventType | undefined {
  if (after.track === BASELINE) return undefined;
  if (before?.track === CANARY && after.track === PRODUCTION) return "canary.promoted";
  if (after.phase === before?.phase) return undefined;
  if (after.phase === "failed") return "release.failed";
  if (after.phase !== "live") return undefined;
  if (after.steps === "rollback") return "release.rolled-back";
  return after.track === CANARY ? "canary.live" : "release.live";
}

function eventOf(type: AppEventType, release: ReleaseRecord, at: string, url: string | undefined): AppEvent {
  const { app, number, commit, branch, track } = release;
  return {
    type,
    app,
    release: releaseName(number),
    commit,
    branch,
    track,
    at,
    ...(url === undefined ? {} : { url }),
  };
}
