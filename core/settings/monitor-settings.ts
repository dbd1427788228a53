import { z } from "zod";
import { HOST_ROLES } from "../records/hosts/host-record.js";
import { METRIC_NAMES } from "../records/hosts/sample.js";
import { emailSettingsSchema, slackSettingsSchema, webhookSettingsSchema } from "./sender-settings.js";

/** What a rule can ask for when it raises an alert. `notify` sends a message to people, by mail, webhook or Slack. */
export const ALERT_ACTIONS = ["notify", "drain-canary", "scale-out"] as const;
export type AlertAction = (typeof ALERT_ACTIONS)[number];

/** `email` is what `notify` was called first; settings and records may still say so. */
export const alertActionSchema = z.preprocess(
  (action) => (action === "email" ? "notify" : action),
  z.enum(ALERT_ACTIONS),
);

/** The rule that is always there: a host that stops reporting. */
export const SILENT_RULE = "silent";
/** The rule about hosts that could not be provisioned. */
export const PROVISION_RULE = "provision";

const seconds = z.number().nonnegative().max(86_400);

export const ruleSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,39}$/, "must be lower-case letters, digits and dashes, at most 40")
      .refine((name) => name !== SILENT_RULE, "is the name of the rule about hosts that stop reporting")
      .refine(
        (name) => name !== PROVISION_RULE,
        "is the name of the rule about hosts that Sluice configures",
      ),
    hosts: z
      .union([
        z.literal("all"),
        z.strictObject({ role: z.enum(HOST_ROLES) }),
        z.strictObject({ host: z.string().min(1) }),
      ])
      .default("all"),
    metric: z.enum(METRIC_NAMES),
    above: z.number().optional(),
    below: z.number().optional(),
    forSeconds: seconds.default(30).describe("how long it must last to raise an alert, and to resolve it"),
    hysteresis: z.number().nonnegative().default(5).describe("how far back it must go to resolve the alert"),
    actions: z.array(alertActionSchema).default(["notify"]),
  })
  .refine(
    ({ above, below }) => (above === undefined) !== (below === undefined),
    "needs either above or below",
  );

export type Rule = z.infer<typeof ruleSchema>;

const DEFAULT_RULES: z.input<typeof ruleSchema>[] = [
  { name: "cpu", metric: "cpu", above: 50 },
  { name: "memory", metric: "memory", above: 50 },
  {
    name: "proxy-cpu",
    hosts: { role: "proxy" },
    metric: "cpu",
    above: 50,
    actions: ["drain-canary", "scale-out"],
  },
];

/** `monitor` in `sluice.yml`. */
export const monitorSettingsSchema = z.strictObject({
  host: z.string().min(1).max(100).optional().describe("name of this host (default: the system's host name)"),
  roles: z.array(z.enum(HOST_ROLES)).optional().describe("roles of this host (default: what runs on it)"),
  silentSeconds: z.number().min(5).max(86_400).default(15),
  remindSeconds: seconds.default(14_400).describe("0: never"),
  email: emailSettingsSchema.optional(),
  webhook: webhookSettingsSchema.optional(),
  slack: slackSettingsSchema.optional(),
  rules: z
    .array(ruleSchema)
    .refine(
      (rules) => new Set(rules.map(({ name }) => name)).size === rules.length,
      "two rules have the same name",
    )
    .prefault(DEFAULT_RULES),
});

export type MonitorSettings = z.infer<typeof monitorSettingsSchema>;
