import { z } from "zod";

export const HOST_ROLES = ["proxy", "redis", "production", "staging"] as const;

/** What a machine is; what could not be found out is empty. */
export const inventorySchema = z.object({
  system: z.string(),
  kernel: z.string(),
  processor: z.string(),
  cpus: z.number(),
  memoryMegabytes: z.number(),
  /** `KVM`, `VMware` …; empty on a machine of its own. */
  virtual: z.string(),
});

export const hostRecordSchema = z.object({
  v: z.literal(1),
  /** Its name, unique among the hosts of one Redis. */
  id: z.string(),
  roles: z.array(z.enum(HOST_ROLES)),
  /** When its monitor was started last; ISO 8601. */
  startedAt: z.string(),
  inventory: inventorySchema,
});

/** A host that a monitor runs on. When it was last seen, its samples tell. */
export type HostRecord = z.infer<typeof hostRecordSchema>;
export type HostRole = (typeof HOST_ROLES)[number];
export type Inventory = z.infer<typeof inventorySchema>;
