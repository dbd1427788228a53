import { z } from "zod";
import { canarySettingsSchema } from "./canary-settings.js";
import { artifactSchema } from "./artifact.js";
import { PHASES } from "./phase.js";
import { releaseManifestSchema } from "./release-manifest.js";
import { processSchema } from "./release-process.js";
import { scaleSettingsSchema } from "./scale-settings.js";
import { upgradedRelease } from "./upgraded-release.js";

/** Where an instance can be reached (only `web` has an address), and what runs it. */
export const instanceSchema = z.object({
  /** `APP.vN.PROCESS.INDEX`, also the name of the server in the proxy. */
  id: z.string(),
  process: z.string(),
  index: z.number().int().positive(),
  /** `127.0.0.1:20001` or `unix@/path`. */
  address: z.string().optional(),
});

const currentSchema = z.object({
  v: z.literal(1),
  app: z.string(),
  number: z.number().int().positive(),
  commit: z.string(),
  branch: z.string(),
  /** `production`, `canary`, `baseline`, or a preview's DNS-safe name. */
  track: z.string(),
  phase: z.enum(PHASES),
  source: z.enum(["push", "webhook"]),
  /** Which list of steps it is going through, or went through last. */
  steps: z.enum(["deploy", "rollback", "copy", "promotion"]),
  /** The release whose build it has (a baseline). */
  copyOf: z.number().int().positive().optional(),
  /** Who asked for it, as they are known to us: a token's or key's name. */
  by: z.string(),
  /** Where that came from (`Actor`). */
  from: z.string().optional(),
  /** Who asked for the last rollback to it, or for its promotion; `sluice` for the verdict. */
  movedBy: z.string().optional(),
  movedFrom: z.string().optional(),
  /** When it was queued, and when each phase was reached; ISO 8601. */
  at: z.string(),
  reachedAt: z.partialRecord(z.enum(PHASES), z.string()),
  processes: z.array(processSchema),
  instances: z.array(instanceSchema),
  artifact: artifactSchema,
  /** Undefined until it is checked out, and in records of before there was one. */
  manifest: releaseManifestSchema.optional(),
  /** How it is served: what of the `sluice` section of its app.json the proxies and the engine need. */
  serving: z.object({
    sticky: z.boolean(),
    listen: z.enum(["port", "socket"]),
    drainSeconds: z.number(),
    standbySeconds: z.number(),
    sessionIdleSeconds: z.number(),
    memoryMegabytes: z.number(),
    /** A preview without a visit for so long sleeps; 0: never. */
    sleepSeconds: z.number().default(0),
    /** A preview that slept for so long is removed; 0: never. */
    expireSeconds: z.number().default(0),
  }),
  /** What of app.json says how it is shown as a canary. */
  canary: canarySettingsSchema.prefault({}),
  /** Within which bounds the autoscaler may choose how many instances it has as production; without it, it does not. */
  scale: scaleSettingsSchema.optional(),
  /** Environment that app.json adds for previews. */
  previewEnv: z.record(z.string(), z.string()).default({}),
  /** Its postdeploy scripts were run. */
  postdeployed: z.boolean().optional(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).optional(),
});

export const releaseRecordSchema = z.preprocess(upgradedRelease, currentSchema);

export type ReleaseRecord = z.infer<typeof currentSchema>;
export type InstanceRecord = z.infer<typeof instanceSchema>;
export type ServingSettings = ReleaseRecord["serving"];
