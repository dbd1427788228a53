import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import ssh2 from "ssh2";

/** Of a file with a private key; undefined where there is none. */
export async function hostKeyFingerprint(file: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  const key = text === undefined ? undefined : ssh2.utils.parseKey(text);
  if (key === undefined || key instanceof Error) return undefined;
  return `SHA256:${createHash("sha256").update(key.getPublicSSH()).digest("base64").replace(/=+$/, "")}`;
}
