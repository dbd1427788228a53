import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { sameSecret } from "../../secrets.js";

/** What proxies recognise a password by, without knowing it. */
export const previewPasswordSchema = z.object({
  salt: z.string(),
  /** SHA-256 of `SALT:PASSWORD`, as 64 hexadecimal digits in upper case, as HAProxy writes them. */
  hash: z.string(),
});

export type PreviewPassword = z.infer<typeof previewPasswordSchema>;

export function hashPreviewPassword(text: string): PreviewPassword {
  const salt = randomBytes(16).toString("hex");
  return { salt, hash: hashOf(salt, text) };
}

export function isPasswordOf({ salt, hash }: PreviewPassword, text: string): boolean {
  return sameSecret(hashOf(salt, text), hash);
}

function hashOf(salt: string, text: string): string {
  return createHash("sha256").update(`${salt}:${text}`).digest("hex").toUpperCase();
}
