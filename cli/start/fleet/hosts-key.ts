import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { newSshKeyPair, type SshKeyPair } from "../../../core/ssh-key-pair.js";
import type { Home } from "../../../core/home.js";

/** The key pair by which this Sluice logs in to other hosts; made at the first need. */
export async function hostsKey(home: Home): Promise<SshKeyPair> {
  const [file, publicFile] = [home.hostsKey(), `${home.hostsKey()}.pub`];
  const [privateKey, publicKey] = await Promise.all([readIfThere(file), readIfThere(publicFile)]);
  if (privateKey !== undefined && publicKey !== undefined) return { privateKey, publicKey: publicKey.trim() };
  const pair = newSshKeyPair("sluice");
  // The public half last: both are made again when it is missing.
  await writeFileAtomically(file, pair.privateKey, 0o600);
  await writeFileAtomically(publicFile, `${pair.publicKey}\n`, 0o644);
  return pair;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
}
