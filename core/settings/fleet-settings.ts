import { isIPv4 } from "node:net";
import { z } from "zod";

/** What a droplet of a role is. */
const dropletSchema = z.strictObject({
  size: z.string().min(1).default("s-1vcpu-2gb").describe("of a droplet"),
  region: z.string().min(1).optional().describe("of a droplet, such as fra1"),
  image: z
    .string()
    .min(1)
    .optional()
    .describe(
      "slug or id of an image or snapshot (default: the newest snapshot of the role, else debian-12-x64)",
    ),
  vpc: z.string().min(1).optional().describe("id of a private network (default: the region's own)"),
  sshKeys: z
    .array(z.union([z.string().min(1), z.number().int()]))
    .default([])
    .describe("fingerprints or ids of further keys that may log in as root"),
});

/** The hosts of one role, as far as Sluice makes them. */
const groupSchema = z.strictObject({
  min: z.number().int().nonnegative().default(0).describe("the autoscaler leaves as many"),
  max: z.number().int().nonnegative().default(0).describe("the autoscaler adds none beyond"),
  ...dropletSchema.shape,
});

/** `HOST[:PORT]/PATH`, as Docker reads it: without a dot or a port, HOST would be somebody's name at Docker Hub. */
const REGISTRY =
  /^(?=[^/]*[.:])[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;
const DOCKER_HUB = /^(?:[a-z0-9-]+\.)*docker\.(?:io|com)(?:\/|$)/;

/** A registry of images that is none of Sluice's own. */
const registrySchema = z.strictObject({
  address: z
    .string()
    .regex(REGISTRY, "must be HOST, HOST:PORT or HOST:PORT/PATH, in lower case and without https://")
    .refine(
      (address) => !DOCKER_HUB.test(address),
      "must not be Docker Hub, which has no folders below a name",
    )
    .describe("registry.example.com:5000/team: repositories are made below the path"),
  user: z.string().min(1),
  password: z.string().min(1).describe("better: SLUICE_REGISTRY_PASSWORD in the environment"),
  caFile: z
    .string()
    .regex(/^\//, "must be a path, from / on")
    .optional()
    .describe("certificate of who vouches for the registry, where no public authority does"),
});

/** The hosts that a Sluice with the engine `swarm` has, this one among them. */
export const fleetSettingsSchema = z.strictObject({
  address: z
    .string()
    .refine(isIPv4, "must be an IPv4 address")
    .optional()
    .describe("this host's private address, at which the others reach it"),
  virtualAddress: z
    .string()
    .refine(isIPv4, "must be an IPv4 address")
    .optional()
    .describe("which one of the hosts with the role proxy has at any time, by keepalived"),
  reservedAddress: z
    .string()
    .refine(isIPv4, "must be an IPv4 address")
    .optional()
    .describe("a reserved IP of DigitalOcean, which one of the droplets with the role proxy has at any time"),
  registryPort: z.number().int().min(1).max(65_535).default(5443).describe("of the registry of images"),
  registry: registrySchema.optional().describe("of images (default: Sluice's own, on this host)"),
  redisPort: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(6380)
    .describe("at which the other hosts reach Sluice's Redis"),
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
  digitalocean: z
    .strictObject({
      token: z.string().min(1).optional().describe("better: SLUICE_DIGITALOCEAN_TOKEN in the environment"),
      url: z
        .url({ protocol: /^https?$/ })
        .default("https://api.digitalocean.com")
        .describe("of its API"),
    })
    .prefault({}),
  production: groupSchema.prefault({}),
  staging: groupSchema.prefault({}),
  proxy: dropletSchema.prefault({}),
  redis: dropletSchema.prefault({}),
  monthlyLimit: z
    .number()
    .positive()
    .optional()
    .describe("US dollars a month that all droplets may cost together (default: no limit)"),
  cpuTarget: z
    .number()
    .min(10)
    .max(90)
    .default(60)
    .describe("percent of their processors that the hosts of a role should use together"),
  cooldownSeconds: z
    .number()
    .int()
    .min(10)
    .max(86_400)
    .default(300)
    .describe("between two changes of the number of hosts; a host leaves when it was calm for twice as long"),
  replaceSeconds: z
    .number()
    .int()
    .min(30)
    .max(86_400)
    .default(300)
    .describe("a droplet that was silent for so long is replaced"),
});

export type RegistrySettings = z.infer<typeof registrySchema>;
export type FleetSettings = z.infer<typeof fleetSettingsSchema>;
/** What a droplet is. */
export type DropletSettings = z.infer<typeof dropletSchema>;
