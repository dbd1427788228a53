import { parse, printParseErrorCode, type ParseError } from "jsonc-parser";
import { z } from "zod";
import { AppError } from "../../../core/errors/app-error.js";
import { isNetwork } from "../../../core/network/is-network.js";
import { isEnvName, parseDomainName } from "../../../core/names.js";
import { canarySettingsSchema } from "../../../core/records/releases/canary-settings.js";
import { healthCheckSchema } from "../../../core/records/releases/health-check.js";
import { scaleSettingsSchema } from "../../../core/records/releases/scale-settings.js";
import { unknownKeyProblem } from "../../../core/settings/settings-problems.js";

const seconds = z.number().nonnegative().max(86_400);

const envEntrySchema = z.union([
  z.string().transform((value) => ({ value, required: false, generator: undefined, sync: false })),
  z.object({
    value: z.string().optional(),
    required: z.boolean().default(true),
    generator: z.literal("secret").optional(),
    sync: z.boolean().default(false),
  }),
]);

/** Addresses and networks (CIDR) of visitors; none: everybody's. */
const addresses = z
  .array(z.string().refine(isNetwork, "must be an address or a network (203.0.113.0/24)"))
  .max(100)
  .default([]);

/** What each visitor may do, by their address. */
const limitsSchema = z.strictObject({
  requestsPerMinute: z.number().int().min(1).max(1_000_000).optional(),
  connections: z.number().int().min(1).max(100_000).optional(),
  bodyMegabytes: z.number().int().min(1).max(1_000_000).optional(),
});

/** Branches that are neither production nor the canary. */
const previewsSchema = z.strictObject({
  env: z
    .record(z.string().refine(isEnvName, "cannot be the name of an environment variable"), z.string())
    .default({}),
  memoryMegabytes: z.number().int().min(16).optional(),
  /** So many; the one that was visited longest ago goes for a new one. */
  max: z.number().int().min(1).max(1000).default(20),
  /** Without a visit for so long its instances are stopped; the next visit starts them. 0: never. */
  sleepSeconds: seconds.default(1800),
  /** Without a push or a visit for so long a preview is removed. */
  expireDays: z.number().positive().max(365).default(30),
  /** In place of the app's own `allowAddresses`. */
  allowAddresses: addresses,
});

const domainName = z.string().transform((text, context) => {
  try {
    return parseDomainName(text);
  } catch {
    context.addIssue({ code: "custom", message: `"${text}" is no domain` });
    return z.NEVER;
  }
});

/** A name, or one that sends its visitors on to another. */
const domainSchema = z.preprocess(
  (value) => (typeof value === "string" ? { name: value } : value),
  z.strictObject({ name: domainName, redirectTo: domainName.optional() }),
);

/** How the app's Dockerfile is built, on engines that take one. */
const dockerfileSchema = z.strictObject({
  path: z
    .string()
    .regex(/^(?![/-])(?!.*(?:^|\/)\.\.(?:\/|$)).+$/, "must be a path inside the repository")
    .optional(),
  /** Stages: the image is `target`, and gates run in `gatesTarget`. */
  target: z.string().min(1).optional(),
  gatesTarget: z.string().min(1).optional(),
  args: z
    .record(z.string().refine(isEnvName, "cannot be the name of a build argument"), z.string())
    .optional(),
  /** Where the app listens, when EXPOSE and ENV PORT do not say that. */
  port: z.number().int().min(1).max(65_535).optional(),
});

export type DockerfileSettings = z.infer<typeof dockerfileSchema>;

/** Our own section. Strict, so that a misspelt key is reported and not ignored. */
const sluiceSchema = z.strictObject({
  gates: z
    .record(z.string().regex(/^[a-z][a-z0-9:-]*$/, "must be a lower-case word"), z.string().min(1))
    .optional(),
  listen: z.enum(["port", "socket"]).default("port"),
  sessions: z.enum(["none", "sticky"]).default("none"),
  drainSeconds: seconds.optional(),
  sessionIdleSeconds: seconds.default(900),
  standbySeconds: seconds.default(600),
  memoryMegabytes: z.number().int().min(16).optional(),
  /** `false`: a Dockerfile is there for others, and the app is built without it. */
  dockerfile: z.union([z.literal(false), dockerfileSchema]).optional(),
  canary: canarySettingsSchema.prefault({}),
  scale: scaleSettingsSchema.optional(),
  previews: previewsSchema.prefault({}),
  domains: z.array(domainSchema).max(100).default([]),
  /** See `routedHttpsSchema`. */
  https: z.enum(["redirect", "both", "off"]).default("redirect"),
  hstsSeconds: z.number().int().min(0).max(63_072_000).optional(),
  allowAddresses: addresses,
  limits: limitsSchema.prefault({}),
  /** Proxies log each request. */
  accessLog: z.boolean().default(false),
});

export const appJsonSchema = z.object({
  env: z.record(z.string(), envEntrySchema).default({}),
  formation: z
    .record(z.string(), z.object({ quantity: z.number().int().min(0).max(100).optional() }))
    .default({}),
  healthchecks: z.object({ web: z.array(healthCheckSchema).default([]) }).prefault({}),
  scripts: z
    .object({
      dokku: z.object({ predeploy: z.string().optional(), postdeploy: z.string().optional() }).prefault({}),
      postdeploy: z.string().optional(),
    })
    .prefault({}),
  sluice: sluiceSchema.prefault({}),
});

export type AppJson = z.infer<typeof appJsonSchema>;
export type EnvEntry = z.infer<typeof envEntrySchema>;

/** Reads app.json (comments and trailing commas allowed, unknown keys of others ignored). Throws `manifest-invalid`. */
export function parseAppJson(text: string): AppJson {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (first !== undefined)
    throw invalid(`line ${lineAt(text, first.offset)}: ${printParseErrorCode(first.error)}`);
  const parsed = appJsonSchema.safeParse(value);
  if (!parsed.success) throw invalid(parsed.error.issues.map(problemOf).join("; "));
  const { formation, sluice } = parsed.data;
  if (sluice.scale !== undefined && formation["web"]?.quantity !== undefined)
    throw invalid("formation.web.quantity and sluice.scale both set the number of web instances");
  return parsed.data;
}

function problemOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys")
    return unknownKeyProblem(path, issue.keys, Object.keys(knownKeys(issue.path)));
  return `${path === "" ? "the file" : path}: ${issue.message}`;
}

/** The keys of the strict section that a path leads to. */
function knownKeys([, section, part]: readonly PropertyKey[]): Record<string, unknown> {
  if (section === "canary")
    return part === "goal" ? canarySettingsSchema.shape.goal.unwrap().shape : canarySettingsSchema.shape;
  if (section === "scale") return scaleSettingsSchema.shape;
  if (section === "limits") return limitsSchema.shape;
  if (section === "dockerfile") return dockerfileSchema.shape;
  return section === "previews" ? previewsSchema.shape : sluiceSchema.shape;
}

function invalid(problem: string): AppError {
  return new AppError("manifest-invalid", { file: "app.json", problem });
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
