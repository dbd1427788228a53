import { z } from "zod";
import { routedAccessSchema } from "../routes/routed-access.js";
import { routedHttpsSchema } from "../routes/routed-https.js";
import { routedLimitsSchema } from "../routes/routed-limits.js";
import { healthCheckSchema } from "./health-check.js";
import { processSchema } from "./release-process.js";

/** A variable of `env` in app.json: a fixed value, a generated one, or one that somebody has to set. */
export const declaredVariableSchema = z.object({
  value: z.string().optional(),
  required: z.boolean(),
  generator: z.literal("secret").optional(),
  /** Set again at each release. */
  sync: z.boolean(),
});

/**
 * What a release's files say about running it. Read once, when it is built: the app's own processes can change its tree
 * afterwards, and another machine does not have it.
 */
export const releaseManifestSchema = z.object({
  /** Every process, in the numbers that the files give for production. */
  processes: z.array(processSchema),
  /** Processes whose number `formation` fixes. */
  fixedSizes: z.array(z.string()),
  /** The Procfile's `release:` line. */
  releaseCommand: z.string().optional(),
  /** `scripts.dokku.postdeploy`: after every release. */
  postdeploy: z.string().optional(),
  /** `scripts.postdeploy`: after the app's first release. */
  firstPostdeploy: z.string().optional(),
  healthChecks: z.array(healthCheckSchema),
  env: z.record(z.string(), declaredVariableSchema),
  maxPreviews: z.number().int(),
  /** Names that the app has from this release on. */
  domains: z.array(z.object({ name: z.string(), redirectTo: z.string().optional() })).default([]),
  https: routedHttpsSchema.optional(),
  access: routedAccessSchema.optional(),
  limits: routedLimitsSchema.optional(),
  /** Digest of its own error page (`ErrorPages`). */
  errorPage: z.string().optional(),
  accessLog: z.boolean().optional(),
});

export type ReleaseManifest = z.infer<typeof releaseManifestSchema>;
