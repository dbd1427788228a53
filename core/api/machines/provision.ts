import { z } from "zod";
import { FLEET_PHASES, FLEET_ROLES } from "../../records/fleet/fleet-host.js";

/** `POST /hosts` */
export const provisionRequestSchema = z.strictObject({
  role: z.enum(FLEET_ROLES),
  /** Of a machine that there is; without one a droplet is made. */
  address: z
    .string()
    .regex(/^[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?$/, "must be an IPv4 address or a host name")
    .optional(),
  port: z.number().int().min(1).max(65_535).default(22),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be a user's name")
    .default("root"),
  /** A private SSH key that it takes; without one it must take Sluice's own. */
  identity: z.string().max(16_384).optional(),
  /** At which the other hosts reach it; without one it is looked for in the network that the server's address is in. */
  privateAddress: z.ipv4().optional(),
  name: z.string().max(100).optional(),
  keepFailed: z.boolean().default(false),
  /** One more droplet, also while one that somebody has ordered for the role is being made. */
  another: z.boolean().default(false),
  /** Of this order alone: sent again after a lost answer, it gets the answer of the first and changes nothing. */
  idempotencyKey: z
    .string()
    .regex(/^[a-zA-Z0-9-]{16,64}$/, "must be 16 to 64 letters, digits and hyphens, such as a UUID")
    .optional(),
  /** Only says what would be changed. */
  dryRun: z.boolean().default(false),
});

/** The line of the host's log after which the work begins: `GET /hosts/HOST/log?after=`. */
export const begunSchema = z.object({
  host: z.string(),
  after: z.string(),
  /** Who has ordered it, where it was under way already and nothing was ordered now. */
  orderedBy: z.string().optional(),
});

/** `GET /hosts/HOST/log` */
export const hostProgressSchema = z.object({
  lines: z
    .array(z.object({ id: z.string(), kind: z.enum(["heading", "task", "problem"]), text: z.string() }))
    .readonly(),
  /** Whether more lines may come. */
  active: z.boolean(),
  /** Null: there is no such host, or none any more. */
  phase: z.enum(FLEET_PHASES).nullable(),
});

/** `GET /hosts/droplets`: what DigitalOcean bills of this installation. */
export const billedDropletsSchema = z.array(
  z.object({
    id: z.number(),
    name: z.string(),
    /** US dollars. */
    monthlyUsd: z.number(),
    /** Null: Sluice knows of no host that it is. */
    host: z.string().nullable(),
  }),
);

export const removeHostSchema = z.strictObject({ force: z.boolean().default(false) });

export type ProvisionRequest = z.infer<typeof provisionRequestSchema>;
export type Begun = z.infer<typeof begunSchema>;
export type BilledDroplet = z.infer<typeof billedDropletsSchema>[number];
export type HostProgress = z.infer<typeof hostProgressSchema>;
