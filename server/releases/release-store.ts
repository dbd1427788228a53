import type { AppKeys } from "../../core/records/apps/app-keys.js";
import type { Database } from "../../core/redis/database.js";
import { AppError } from "../../core/errors/app-error.js";
import { ADD_EVENTS, eventsArgument } from "../../core/records/events/add-events.js";
import { releaseName } from "../../core/names.js";
import { canarySettingsSchema } from "../../core/records/releases/canary-settings.js";
import { mayFollow, type Phase } from "../../core/records/releases/phase.js";
import {
  releaseRecordSchema,
  type ReleaseRecord,
  type ServingSettings,
} from "../../core/records/releases/release-record.js";
import { keys } from "../../core/redis/keys.js";
import { HOLDS, type HeldLock } from "../../core/redis/lock.js";
import { eventsOfRelease } from "../events/events-of.js";

export const RELEASE_KEYS: AppKeys = { own: [keys.releases], counters: [keys.releaseCounter] };

export type NewRelease = Pick<
  ReleaseRecord,
  "app" | "commit" | "branch" | "track" | "source" | "by" | "from" | "steps" | "processes" | "copyOf"
>;
export type ReleasePatch = Partial<
  Pick<
    ReleaseRecord,
    | "processes"
    | "instances"
    | "artifact"
    | "manifest"
    | "serving"
    | "canary"
    | "scale"
    | "previewEnv"
    | "steps"
    | "movedBy"
    | "movedFrom"
    | "postdeployed"
    | "error"
  >
>;

/** The releases' records, numbered per app from 1. */
export class ReleaseStore {
  constructor(
    private readonly redis: Database,
    private readonly token = "",
  ) {}

  /** The same, for who writes only while holding the app's lock: after that every save fails with `release-lock-lost`. */
  under({ token }: Pick<HeldLock, "token">): ReleaseStore {
    return new ReleaseStore(this.redis, token);
  }

  /** The record of a new release, queued, with the app's next number. It is not saved yet. */
  async draft(release: NewRelease): Promise<ReleaseRecord> {
    const number = await this.redis.incr(keys.releaseCounter(release.app));
    const at = new Date().toISOString();
    return {
      v: 1,
      ...release,
      number,
      phase: "queued",
      at,
      reachedAt: { queued: at },
      instances: [],
      artifact: { kind: "tree" },
      serving: DEFAULT_SERVING,
      canary: canarySettingsSchema.parse({}),
      previewEnv: {},
    };
  }

  async find(app: string, number: number): Promise<ReleaseRecord | undefined> {
    const text = await this.redis.hget(keys.releases(app), String(number));
    return text === null ? undefined : releaseRecordSchema.parse(JSON.parse(text));
  }

  /** Those of these releases that have a record, in their order. */
  async findMany(app: string, numbers: readonly number[]): Promise<ReleaseRecord[]> {
    if (numbers.length === 0) return [];
    const texts = await this.redis.hmget(keys.releases(app), ...numbers.map(String));
    return texts.flatMap((text) => (text === null ? [] : [releaseRecordSchema.parse(JSON.parse(text))]));
  }

  /** Newest first. */
  async list(app: string): Promise<ReleaseRecord[]> {
    const texts = await this.redis.hvals(keys.releases(app));
    return texts
      .map((text) => releaseRecordSchema.parse(JSON.parse(text)))
      .sort((a, b) => b.number - a.number);
  }

  /** Saves that a release has reached a phase, with what was learnt on the way. */
  async advance(release: ReleaseRecord, phase: Phase, patch: ReleasePatch = {}): Promise<ReleaseRecord> {
    const record = advanced(release, phase, patch);
    await this.save(record);
    return record;
  }

  async remove(app: string, number: number): Promise<void> {
    await this.redis.hdel(keys.releases(app), String(number));
  }

  /** The event that the change is, if it is one, is written with it: once, however often the same is saved. */
  async save(record: ReleaseRecord): Promise<void> {
    const { app, number } = record;
    for (let attempt = 0; attempt < 50; attempt++) {
      const text = (await this.redis.hget(keys.releases(app), String(number))) ?? "";
      const before = text === "" ? undefined : releaseRecordSchema.parse(JSON.parse(text));
      const events = eventsOfRelease(before, record);
      const answer = await this.redis.eval(
        SAVE,
        3,
        keys.releases(app),
        keys.lock(app),
        keys.events,
        number,
        JSON.stringify(record),
        this.token,
        eventsArgument(events),
        events.length === 0 ? "" : text,
      );
      if (answer === 0) throw new AppError("release-lock-lost", { app });
      if (answer === 1) return;
    }
    throw new AppError("internal", { reason: `the record of ${releaseName(number)} changes all the time` });
  }
}

/**
 * KEYS: releases hash, lock, events stream. ARGV: number, record, the lock's token ("" without), the events, and if there are
 * any, the text of the record that they follow from ("" none). Answer: 1; 0 when the lock is not held; -1 when the events
 * follow from another record than there is.
 */
const SAVE = `${HOLDS}${ADD_EVENTS}
if not holds(KEYS[2], ARGV[3]) then return 0 end
if ARGV[4] ~= '[]' and (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[5] then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
addEvents(KEYS[3], ARGV[4])
return 1`;

/** The record after a step, not saved yet. Throws when the phase cannot follow. */
export function advanced(release: ReleaseRecord, phase: Phase, patch: ReleasePatch = {}): ReleaseRecord {
  if (!mayFollow(release.phase, phase)) {
    throw new AppError("internal", {
      reason: `${releaseName(release.number)} is ${release.phase} and cannot become ${phase}`,
    });
  }
  return {
    ...release,
    ...patch,
    phase,
    reachedAt:
      phase === release.phase
        ? release.reachedAt
        : { ...release.reachedAt, [phase]: new Date().toISOString() },
  };
}

const DEFAULT_SERVING: ServingSettings = {
  sticky: false,
  listen: "port",
  drainSeconds: 900,
  standbySeconds: 600,
  sessionIdleSeconds: 900,
  memoryMegabytes: 512,
  sleepSeconds: 0,
  expireSeconds: 0,
};
