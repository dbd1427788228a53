import { z } from "zod";

/** `ops@example.com` or `Sluice <ops@example.com>`. */
const address = z
  .string()
  .regex(
    /^(?:[^<>\p{Cc}]+ <[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/u,
    "must be an address, such as ops@example.com or Sluice <ops@example.com>",
  );

/** Neither fetch nor a log may see a password in it. */
const webUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !URL.canParse(url) || new URL(url).username === "", "must not contain a user");

const smtpSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^smtps?$/ })
      .optional()
      .describe("smtp://USER:PASSWORD@HOST:PORT, or smtps:"),
    host: z.string().min(1).optional(),
    port: z.number().int().min(1).max(65_535).optional().describe("587, or 465 if secure"),
    secure: z
      .boolean()
      .optional()
      .describe("TLS from the first byte; otherwise TLS starts when the server offers it"),
    user: z.string().min(1).optional(),
    password: z.string().min(1).optional(),
  })
  .refine(({ url, host }) => (url === undefined) !== (host === undefined), "needs either host or url")
  .refine(
    ({ url, port, secure, user }) => url === undefined || (port ?? secure ?? user) === undefined,
    "must give port, secure and user in the url",
  );

export const emailSettingsSchema = z.strictObject({
  smtp: smtpSchema,
  from: address,
  to: z.array(address).min(1).max(50),
});

/** `monitor.webhook`: a receiver of Standard Webhooks. */
export const webhookSettingsSchema = z.strictObject({
  url: webUrl,
  secret: z
    .string()
    .regex(/^(?:whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/, "must be whsec_ and 24 or more random bytes in base64")
    .optional(),
});

/** `monitor.slack`: an incoming webhook. */
export const slackSettingsSchema = z.strictObject({ url: webUrl });

export type SmtpSettings = z.infer<typeof smtpSchema>;
export type EmailSettings = z.infer<typeof emailSettingsSchema>;
export type WebhookSettings = z.infer<typeof webhookSettingsSchema>;
export type SlackSettings = z.infer<typeof slackSettingsSchema>;
