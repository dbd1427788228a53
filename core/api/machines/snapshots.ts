import { z } from "zod";
import { FLEET_ROLES } from "../../records/fleet/fleet-host.js";
import { begunSchema } from "./provision.js";

/** `POST /hosts/snapshots` */
export const snapshotRequestSchema = z.strictObject({
  role: z.enum(FLEET_ROLES).default("production"),
  keepFailed: z.boolean().default(false),
});

/** The snapshot's name, and how the droplet that becomes it is followed; null when the snapshot is there already. */
export const snapshotBegunSchema = z.object({ snapshot: z.string(), begun: begunSchema.nullable() });

/** `GET /hosts/snapshots`: what DigitalOcean bills of this installation, the newest first. */
export const billedSnapshotsSchema = z.array(
  z.object({
    id: z.number(),
    name: z.string(),
    role: z.enum(FLEET_ROLES),
    regions: z.array(z.string()),
    /** ISO 8601 */
    createdAt: z.string(),
    gigabytes: z.number(),
    /** US dollars. */
    monthlyUsd: z.number(),
  }),
);

/** What of a request may be left out. */
export type SnapshotOptions = z.input<typeof snapshotRequestSchema>;
export type SnapshotRequest = z.infer<typeof snapshotRequestSchema>;
export type SnapshotBegun = z.infer<typeof snapshotBegunSchema>;
export type BilledSnapshot = z.infer<typeof billedSnapshotsSchema>[number];
