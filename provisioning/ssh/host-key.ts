import { createHash } from "node:crypto";

/** `ssh-ed25519 AAAA…` of a key as it is sent (RFC 4253, section 6.6). */
export function hostKeyLine(blob: Buffer): string {
  const length = blob.readUInt32BE(0);
  return `${blob.toString("latin1", 4, 4 + length)} ${blob.toString("base64")}`;
}

/** `SHA256:…`, as ssh-keygen(1) shows it. */
export function fingerprintOf(line: string): string {
  const [, base64 = ""] = line.split(" ");
  const digest = createHash("sha256").update(Buffer.from(base64, "base64")).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

/** Whether two lines are the same key; a comment does not count. */
export function isSameKey(one: string, other: string): boolean {
  const keyOf = (line: string): string => line.trim().split(/\s+/).slice(0, 2).join(" ");
  return keyOf(one) === keyOf(other);
}
