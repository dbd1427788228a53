import { z } from "zod";
import { APP_EVENT_TYPES } from "../../core/records/apps/app-event-type.js";

export const appEventSchema = z.object({
  type: z.enum(APP_EVENT_TYPES),
  app: z.string(),
  /** `v42`. This and the next three are there for all that happens to a release. */
  release: z.string().optional(),
  commit: z.string().optional(),
  branch: z.string().optional(),
  track: z.string().optional(),
  /** The name that has no certificate; others may be in the reason. */
  name: z.string().optional(),
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
