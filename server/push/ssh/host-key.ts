import { readFile } from "node:fs/promises";
import ssh2 from "ssh2";
import { AppError } from "../../../core/errors/app-error.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { newSshKeyPair } from "../../../core/ssh-key-pair.js";

/** The server's private key, made at the first start. Throws `host-key-invalid`. */
export async function hostKey(file: string): Promise<string> {
  const known = await readFile(file, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (known === undefined) {
    const { privateKey } = newSshKeyPair("sluice");
    await writeFileAtomically(file, privateKey, 0o600);
    return privateKey;
  }
  const key = ssh2.utils.parseKey(known);
  if (key instanceof Error) throw new AppError("host-key-invalid", { file, reason: key.message });
  return known;
}
