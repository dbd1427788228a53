import type { Redis } from "ioredis";
import { AppError } from "../../core/app-error.js";
import { releaseName } from "../../core/names.js";
import { canarySettingsSchema } from "../../core/records/canary-settings.js";
import { mayFollow, type Phase } from "../../core/records/phase.js";
import { releaseRecordSchema, type ReleaseRecord } from "../../core/records/release-record.js";
import { keys } from "../../core/redis/keys.js";
import { redisError } from "../../core/redis/connection.js";

export type NewRelease = Pick<
  ReleaseRecord,
  "app" | "commit" | "branch" | "track" | "source" | "by" | "order" | "processes" | "copyOf"
>;
export type ReleasePatch = Partial<
  Pick<
    ReleaseRecord,
    | "processes"
    | "instances"
    | "nodeFolder"
    | "traffic"
    | "canary"
    | "scale"
    | "previewEnv"
    | "order"
    | "error"
  >
>;

/** The releases' records, numbered per app from 1. */
export class ReleaseStore {
  constructor(private readonly redis: Redis) {}

  /** The record of a new release, queued, with the app's next number. It is not saved yet. */
  async draft(release: NewRelease): Promise<ReleaseRecord> {
    try {
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
        traffic: DEFAULT_TRAFFIC,
        canary: canarySettingsSchema.parse({}),
        previewEnv: {},
      };
    } catch (error) {
      throw redisError(error);
    }
  }

  async find(app: string, number: number): Promise<ReleaseRecord | undefined> {
    try {
      const text = await this.redis.hget(keys.releases(app), String(number));
      return text === null ? undefined : releaseRecordSchema.parse(JSON.parse(text));
    } catch (error) {
      throw redisError(error);
    }
  }

  /** Those of these releases that have a record, in their order. */
  async findMany(app: string, numbers: readonly number[]): Promise<ReleaseRecord[]> {
    if (numbers.length === 0) return [];
    try {
      const texts = await this.redis.hmget(keys.releases(app), ...numbers.map(String));
      return texts.flatMap((text) => (text === null ? [] : [releaseRecordSchema.parse(JSON.parse(text))]));
    } catch (error) {
      throw redisError(error);
    }
  }

  /** Newest first. */
  async list(app: string): Promise<ReleaseRecord[]> {
    try {
      const texts = await this.redis.hvals(keys.releases(app));
      return texts
        .map((text) => releaseRecordSchema.parse(JSON.parse(text)))
        .sort((a, b) => b.number - a.number);
    } catch (error) {
      throw redisError(error);
    }
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

  async save(record: ReleaseRecord): Promise<void> {
    try {
      await this.redis.hset(keys.releases(record.app), String(record.number), JSON.stringify(record));
    } catch (error) {
      throw redisError(error);
    }
  }
}

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
    reachedAt: { ...release.reachedAt, [phase]: new Date().toISOString() },
  };
}

const DEFAULT_TRAFFIC: ReleaseRecord["traffic"] = {
  sticky: false,
  listen: "port",
  drainSeconds: 900,
  standbySeconds: 600,
  sessionIdleSeconds: 900,
  memoryMegabytes: 512,
  sleepSeconds: 0,
  expireSeconds: 0,
};
