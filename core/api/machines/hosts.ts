import { z } from "zod";
import { FLEET_PHASES } from "../../records/fleet/fleet-host.js";
import { HOST_ROLES, inventorySchema } from "../../records/hosts/host-record.js";
import { METRIC_NAMES, sampleSchema, type Metric } from "../../records/hosts/sample.js";

const provisionedSchema = z.object({
  /** Of Sluice, as it was put there last; null until then. */
  version: z.string().nullable(),
  by: z.string(),
  reason: z.string().nullable(),
  failure: z.object({ step: z.string(), message: z.string(), hint: z.string(), at: z.string() }).nullable(),
  /** Whether it has the reserved IP that proxies share (`fleet.reservedAddress`). */
  hasReservedAddress: z.boolean(),
  /** Null for a machine that Sluice did not make. */
  droplet: z
    .object({ id: z.number().nullable(), size: z.string(), region: z.string(), monthlyUsd: z.number() })
    .nullable(),
});

/**
 * Of a host that Sluice configures, until it is `ready` and while it leaves; of one that runs instances besides: `draining` its
 * instances move to others, `drained` none is left, `down` the engine has lost it, `unknown` the engine cannot tell.
 */
export const HOST_PHASES = [...FLEET_PHASES, "draining", "drained", "down", "unknown"] as const;
export type HostPhase = (typeof HOST_PHASES)[number];

/** A host as `GET /hosts` shows it. */
export const hostSummarySchema = z.object({
  host: z.string(),
  roles: z.array(z.enum(HOST_ROLES)),
  phase: z.enum(HOST_PHASES),
  /** At which the other hosts reach it; null where nobody has told. */
  address: z.string().nullable(),
  /** While it drains: the instances that it still runs, and why one could not be moved yet. */
  left: z.array(z.object({ instance: z.string(), problem: z.string().nullable() })).readonly(),
  /** When its monitor was started last; ISO 8601. Null where none has been seen. */
  startedAt: z.string().nullable(),
  inventory: inventorySchema.nullable(),
  /** ISO 8601; null when it has sent no figures yet. */
  seenAt: z.string().nullable(),
  sample: sampleSchema.nullable(),
  /** Null for a host that Sluice does not configure. */
  provisioned: provisionedSchema.nullable(),
});

export const hostsSchema = z.array(hostSummarySchema);

/** Steps in seconds: below a minute from the seconds of the last hour, else from the minutes of the last 30 days. */
export const samplesStepSchema = z.coerce.number().int().min(1).max(86_400).default(60);

const metric = z.number().optional();
// Object.fromEntries loses the names; these are all of them.
const metrics = Object.fromEntries(METRIC_NAMES.map((name) => [name, metric])) as Record<
  Metric,
  typeof metric
>;
const figuresSchema = z.object(metrics);

/** `GET /hosts/ID/samples` */
export const hostSamplesSchema = z.object({
  host: z.string(),
  /** ISO 8601 */
  from: z.string(),
  to: z.string(),
  /** Seconds. */
  step: z.number(),
  points: z
    .array(z.object({ at: z.string(), samples: z.number(), mean: figuresSchema, max: figuresSchema }))
    .readonly(),
});

export type HostSummary = z.infer<typeof hostSummarySchema>;
export type HostSamples = z.infer<typeof hostSamplesSchema>;
export type HostFigures = z.infer<typeof figuresSchema>;
