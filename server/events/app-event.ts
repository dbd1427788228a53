import { z } from "zod";
import { APP_EVENT_TYPES } from "../../core/records/apps/app-event-type.js";

export const appEventSchema = z.object({
  type: z.enum(APP_EVENT_TYPES),
  app: z.string(),
  /** `v42` */
  release: z.string(),
  commit: z.string(),
  branch: z.string(),
  track: z.string(),
  /** When it happened, ISO 8601. */
  at: z.string(),
  /** Where the track is served; absent when the release has no `web` process. */
  url: z.string().optional(),
  /** Of a failure, an abort, or a promotion. */
  reason: z.string().optional(),
  /** Made up by `sluice notify APP test`. */
  test: z.literal(true).optional(),
});

/** Something that happened to an app, for those who want to be told. */
export type AppEvent = z.infer<typeof appEventSchema>;
