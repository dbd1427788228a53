import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { releaseName } from "../../core/names.js";
import {
  BY_SLUICE,
  type EventData,
  type EventType,
  type NewEvent,
} from "../../core/records/events/event-record.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { BASELINE, CANARY, PRODUCTION } from "../../core/records/routes/route-table.js";

/** What a canary's verdict led to, as its record keeps it. */
export interface CanaryDecision {
  readonly word: "pass" | "fail" | "hold";
  readonly reason: string;
  readonly action: "raise" | "promote" | "abort" | "none";
}

/** Why something was done, and who did it. */
export interface Cause extends Actor {
  /** A sentence. */
  readonly reason: string;
}

/**
 * The event that a change of a release's record is: none or one. `before` is undefined for a new one. `actor`: who asked for a
 * change of its size; the record itself names whoever asked for anything else. Pure.
 */
export function eventsOfRelease(
  before: ReleaseRecord | undefined,
  after: ReleaseRecord,
  actor: Actor = { by: BY_SLUICE },
): NewEvent[] {
  const type = typeOfChange(before, after);
  if (type === undefined) return [];
  const reason = type === "release.failed" ? after.error?.message : undefined;
  const scale = type === "scale.changed" ? sizesBetween(before, after) : undefined;
  return [
    eventOf(type, after, whoDid(type, after, actor), {
      ...(reason === undefined ? {} : { reason }),
      ...(scale === undefined ? {} : { scale }),
    }),
  ];
}

/** The event of a canary's verdict: it is bad, and a person has to decide. What Sluice does itself is an event of its own. Pure. */
export function eventsOfDecision(
  { word, action, reason }: CanaryDecision,
  canary: ReleaseRecord,
): NewEvent[] {
  return word === "fail" && action === "none"
    ? [eventOf("canary.failed", canary, { by: BY_SLUICE }, { reason })]
    : [];
}

/** The event that a release's loss of its track is: of the canary, an abort. Pure. */
export function eventsOfDeparture(release: ReleaseRecord, { reason, ...actor }: Cause): NewEvent[] {
  return release.track === CANARY ? [eventOf("canary.aborted", release, actor, { reason })] : [];
}

function typeOfChange(before: ReleaseRecord | undefined, after: ReleaseRecord): EventType | undefined {
  if (after.track === BASELINE) return undefined;
  if (before?.track === CANARY && after.track === PRODUCTION) return "canary.promoted";
  if (before?.phase === after.phase)
    return isUp(after) && Object.keys(sizesBetween(before, after)).length > 0 ? "scale.changed" : undefined;
  if (after.phase === "queued") return before === undefined ? "release.queued" : undefined;
  if (after.phase === "failed") return "release.failed";
  // What a rollback did not bring back was retired, or on standby, before.
  if (after.phase === "retired") return before !== undefined && isUp(before) ? "release.retired" : undefined;
  if (after.phase !== "live") return undefined;
  if (after.steps === "rollback") return "release.rolled-back";
  return after.track === CANARY ? "canary.live" : "release.live";
}

function isUp({ phase }: ReleaseRecord): boolean {
  return phase === "live" || phase === "settled";
}

function whoDid(type: EventType, record: ReleaseRecord, scaledBy: Actor): Actor {
  const { steps, movedBy = BY_SLUICE, movedFrom } = record;
  if (type === "scale.changed") return scaledBy;
  if (type === "release.retired") return { by: BY_SLUICE };
  return steps === "rollback" || steps === "promotion" ? { by: movedBy, from: movedFrom } : record;
}

function sizesBetween(
  before: ReleaseRecord | undefined,
  after: ReleaseRecord,
): Record<string, { from: number; to: number }> {
  const changes = after.processes.flatMap(({ name, quantity: to }) => {
    const from = before?.processes.find((process) => process.name === name)?.quantity ?? 0;
    return from === to ? [] : [[name, { from, to }] as const];
  });
  return Object.fromEntries(changes);
}

function eventOf(type: EventType, release: ReleaseRecord, actor: Actor, more: EventData): NewEvent {
  const { app, number, commit, branch, track, processes } = release;
  const hasUrl =
    processes.length === 0 || processes.some(({ name, quantity }) => name === "web" && quantity > 0);
  const data = { commit, branch, track, hasUrl, ...more };
  return { ...actorOf(actor), app, type, release: releaseName(number), data };
}
