import { z } from "zod";
import type { Database } from "../../core/redis/database.js";
import { keys } from "../../core/redis/keys.js";

const troubleSchema = z.object({
  /** What went wrong last. */
  reason: z.string(),
  /** How often in a row an authority was asked in vain. 0: it was not asked. */
  failures: z.number(),
  /** Milliseconds since 1970. */
  triedAt: z.number(),
  /** Not before; absent: as soon as the reason is gone. */
  nextTryAt: z.number().optional(),
});

export type Trouble = z.infer<typeof troubleSchema>;

/** After so many failures in a row: at most four in the first hour (Let's Encrypt allows five for a name). */
const PAUSES_MS = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600].map(
  (seconds) => seconds * 1000,
);

/** Milliseconds until the next try, with some chance, so that not all come at once. Pure. `dice`: 0 to 1. */
export function pauseAfter(failures: number, dice: number): number {
  const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1] ?? 0;
  return Math.round(pause * (1 + dice / 10));
}

/** Why names have no certificate, and authorities issue none, in Redis: a restart does not forget whom it has asked in vain. */
export class Troubles {
  constructor(private readonly redis: Database) {}

  /** By name, or directory of an authority. */
  async read(): Promise<Map<string, Trouble>> {
    const all = Object.entries(await this.redis.hgetall(keys.certificateTroubles));
    return new Map(all.map(([name, text]) => [name, troubleSchema.parse(JSON.parse(text))]));
  }

  async write(troubles: ReadonlyMap<string, Trouble>): Promise<void> {
    if (troubles.size === 0) return;
    const fields = [...troubles].flatMap(([name, trouble]) => [name, JSON.stringify(trouble)]);
    await this.redis.hset(keys.certificateTroubles, ...fields);
  }

  async clear(names: readonly string[]): Promise<void> {
    if (names.length > 0) await this.redis.hdel(keys.certificateTroubles, ...names);
  }
}

/** The trouble that follows another failure of an authority's, or of a name at one. Pure. */
export function failed(
  before: Trouble | undefined,
  { reason, now, notBefore = 0, dice }: { reason: string; now: number; notBefore?: number; dice: number },
): Trouble {
  const failures = (before?.failures ?? 0) + 1;
  const nextTryAt = Math.max(now + pauseAfter(failures, dice), notBefore);
  return { reason, failures, triedAt: now, nextTryAt };
}
