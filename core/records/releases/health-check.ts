import { z } from "zod";

const seconds = z.number().nonnegative().max(86_400);

/** One check, as Heroku's and Dokku's `healthchecks.<process>[]` have it. Seconds where nothing else is said. */
export const healthCheckSchema = z.object({
  name: z.string().default("web check"),
  type: z.enum(["startup", "readiness", "liveness"]).default("startup"),
  path: z
    .string()
    .regex(/^\/[^\s]*$/, "must begin with / and contain no spaces")
    .default("/"),
  attempts: z.number().int().min(1).max(1000).default(3),
  timeout: seconds.default(5),
  wait: seconds.default(5),
  initialDelay: seconds.default(0),
  content: z.string().optional(),
  httpHeaders: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
});

export type HealthCheck = z.infer<typeof healthCheckSchema>;
