import { z } from "zod";
import type { AppKeys } from "../apps/app-keys.js";
import type { Database } from "../../redis/database.js";
import { keys } from "../../redis/keys.js";

export const SCALE_REQUEST_KEYS: AppKeys = { hashes: [keys.scaleRequests] };

const requestSchema = z.object({
  v: z.literal(1),
  app: z.string(),
  /** The release that was production when it was decided, how many instances of web it had, and since when (`RoutedRelease.sizedAt`). */
  release: z.number(),
  from: z.number(),
  sizedAt: z.number().optional(),
  to: z.number(),
  reason: z.string(),
  /** ms since 1970. */
  at: z.number(),
});

export type ScaleRequest = z.infer<typeof requestSchema>;

/** What the autoscaler wants: the monitor asks, the server does it. One request an app at a time. */
export class ScaleRequests {
  constructor(private readonly redis: Database) {}

  /** Does nothing while an earlier one waits. */
  async ask(request: Omit<ScaleRequest, "v">): Promise<void> {
    const text = JSON.stringify({ v: 1, ...request });
    await this.redis.hsetnx(keys.scaleRequests, request.app, text);
  }

  async waiting(): Promise<ScaleRequest[]> {
    const texts = await this.redis.hvals(keys.scaleRequests);
    return texts.map((text) => requestSchema.parse(JSON.parse(text)));
  }

  /** It is done, or will not be. */
  async done(app: string): Promise<void> {
    await this.redis.hdel(keys.scaleRequests, app);
  }
}
