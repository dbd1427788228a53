import { z } from "zod";

/** An account that the authority knows already (RFC 8555, 7.3.4). */
const externalAccountSchema = z.strictObject({ keyId: z.string().min(1), key: z.string().min(1) });

const authority = {
  directory: z
    .url({ protocol: /^https$/ })
    .describe("of an authority that issues certificates by ACME (RFC 8555)"),
  caFile: z
    .string()
    .regex(/^\//, "must be a path, from / on")
    .optional()
    .describe("certificate of who vouches for its directory, where no public authority does"),
  externalAccount: externalAccountSchema.optional().describe("where the authority asks for one"),
  profile: z.string().min(1).optional().describe("kind of certificate, such as shortlived"),
};

const fallbackSchema = z.strictObject(authority);

export const tlsSettingsSchema = z.strictObject({
  email: z.email().optional().describe("certificates come by themselves; the authority writes there"),
  ...authority,
  directory: authority.directory.default("https://acme-v02.api.letsencrypt.org/directory"),
  fallback: fallbackSchema.optional().describe("another authority, for when the first one issues nothing"),
  dnsHook: z
    .string()
    .regex(/^\//, "must be a program's path, from / on")
    .optional()
    .describe("sets and removes TXT records, for wildcards"),
});

export type TlsSettings = z.infer<typeof tlsSettingsSchema>;
export type AuthoritySettings = z.infer<typeof fallbackSchema>;
