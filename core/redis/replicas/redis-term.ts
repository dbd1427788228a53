import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Database } from "../database.js";
import { keys } from "../keys.js";
import { parseRecord } from "../parse-record.js";

const KEPT = 20;
const redisTermSchema = z.object({
  v: z.literal(1),
  /** Rises with each term. Two with one number were primaries side by side. */
  number: z.number().int(),
  id: z.string(),
  /** Ids of the terms before it, the last one first. */
  before: z.array(z.string()),
  /** The host whose Redis is the primary. */
  host: z.string(),
  /** ISO 8601. */
  at: z.string(),
});

/** Which Redis is the primary, and since when: it stands in the data itself, so that every replica has it. */
export type RedisTerm = z.infer<typeof redisTermSchema>;

/** Undefined where there has never been a replica. */
export async function readTerm(redis: Database): Promise<RedisTerm | undefined> {
  const text = await redis.get(keys.redisTerm);
  return text === null ? undefined : parseRecord(redisTermSchema, text, keys.redisTerm);
}

/** Begins a term after these. Returns it. */
export async function beginTerm(
  redis: Database,
  host: string,
  before: readonly (RedisTerm | undefined)[],
  now: number,
): Promise<RedisTerm> {
  const [last] = before.filter((term) => term !== undefined).sort((a, b) => b.number - a.number);
  const term: RedisTerm = {
    v: 1,
    number: (last?.number ?? 0) + 1,
    id: randomBytes(8).toString("hex"),
    before: last === undefined ? [] : [last.id, ...last.before].slice(0, KEPT),
    host,
    at: new Date(now).toISOString(),
  };
  await redis.set(keys.redisTerm, JSON.stringify(term));
  return term;
}
