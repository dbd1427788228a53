import { isIPv4 } from "node:net";
import { z } from "zod";

/** The hosts that a Sluice with the engine `swarm` has, this one among them. */
export const fleetSettingsSchema = z.strictObject({
  address: z
    .string()
    .refine(isIPv4, "must be an IPv4 address")
    .optional()
    .describe("this host's private address, at which the others reach it"),
  registryPort: z.number().int().min(1).max(65_535).default(5443).describe("of the registry of images"),
  serverRunsInstances: z.boolean().default(true).describe("whether this host runs instances, too"),
  basePackages: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, "must be the name of a Debian package"))
    .default([])
    .describe("Debian packages that images have besides, such as ffmpeg"),
  collectSeconds: z
    .number()
    .int()
    .min(1)
    .max(604_800)
    .default(86_400)
    .describe("between two removals of old images, from the registry and from the hosts"),
});
