import { readFile } from "node:fs/promises";
import { exists } from "../../../core/files/exists.js";
import type { Home } from "../../../core/home.js";
import { certificateBox, certificateSecret, openSecretBox, type SecretBox } from "../../../core/secrets.js";

/** What opens certificates: the server's key does, and on a host that is only a proxy the one that it was given. Undefined: neither. */
export async function boxOfCertificates(home: Home): Promise<SecretBox | undefined> {
  if (await exists(home.key())) return certificateBox(certificateSecret(await openSecretBox(home.key())));
  if (await exists(home.certificatesKey()))
    return certificateBox((await readFile(home.certificatesKey(), "utf8")).trim());
  return undefined;
}
