import { z } from "zod";
import type { AppKeys } from "../apps/app-keys.js";
import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";

export const SCALE_DECISION_KEYS: AppKeys = { own: [keys.scaleDecisions] };

const DECISIONS_KEPT = 100;

export const scaleDecisionSchema = z.object({
  v: z.literal(1),
  /** ISO 8601. */
  at: z.string(),
  /** `autoscaler`, or whose token it was. */
  by: z.string(),
  process: z.string(),
  from: z.number(),
  to: z.number(),
  reason: z.string(),
  /** `done`, or why it was not. */
  outcome: z.string(),
});

/** How many instances of a process production should have, why, and the outcome. */
export type ScaleDecision = z.infer<typeof scaleDecisionSchema>;

/** The apps' last 100 decisions each. */
export class ScaleDecisions {
  constructor(private readonly redis: Database) {}

  async add(app: string, decision: Omit<ScaleDecision, "v">): Promise<void> {
    const key = keys.scaleDecisions(app);
    const text = JSON.stringify({ v: 1, ...decision });
    await this.redis
      .multi()
      .lpush(key, text)
      .ltrim(key, 0, DECISIONS_KEPT - 1)
      .exec();
  }

  /** Newest first. */
  async list(app: string): Promise<ScaleDecision[]> {
    const texts = await this.redis.lrange(keys.scaleDecisions(app), 0, -1);
    return texts.map((text) => scaleDecisionSchema.parse(JSON.parse(text)));
  }
}
