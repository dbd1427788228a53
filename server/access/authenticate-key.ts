import type { AuthContext } from "ssh2";
import type { KeyStore } from "./key-store.js";

/**
 * The name of the owner of the SSH key that a client signs with. Undefined refuses; the first, unsigned question only asks
 * whether the key would do (RFC 4252, section 7).
 */
export async function authenticateKey(keys: KeyStore, context: AuthContext): Promise<string | undefined> {
  if (context.method !== "publickey") return undefined;
  const known = await keys.find(context.key.data);
  if (known === undefined) return undefined;
  if (context.signature === undefined || context.blob === undefined) return known.name;
  // Against its types, verify() may answer an Error.
  const verified: unknown = known.key.verify(context.blob, context.signature, context.hashAlgo);
  return verified === true ? known.name : undefined;
}
