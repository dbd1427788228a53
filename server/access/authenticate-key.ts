import type { AuthContext } from "ssh2";
import type { Credential } from "./credential.js";
import type { KeyStore } from "./key-store.js";

export interface OfferedKey {
  /** Whose it is, expired or not. */
  readonly credential: Credential;
  /** False: the client only asks whether the key would do (RFC 4252, section 7). */
  readonly isProved: boolean;
}

/** The SSH key that a client offers or signs with. Undefined refuses. */
export async function authenticateKey(keys: KeyStore, context: AuthContext): Promise<OfferedKey | undefined> {
  if (context.method !== "publickey") return undefined;
  const known = await keys.find(context.key.data);
  if (known === undefined) return undefined;
  const { credential, key } = known;
  if (context.signature === undefined || context.blob === undefined) return { credential, isProved: false };
  // Against its types, verify() may answer an Error.
  const verified: unknown = key.verify(context.blob, context.signature, context.hashAlgo);
  return verified === true ? { credential, isProved: true } : undefined;
}
