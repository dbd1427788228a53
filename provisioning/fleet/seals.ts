import type { SecretBox } from "../../core/secrets.js";

/** An SSH host's private key, as its record keeps it. */
export function sealHostKey(privateKey: string, host: string, box: SecretBox): string {
  return box.seal(privateKey, `host-key:${host}`);
}

export function openHostKey(sealed: string, host: string, box: SecretBox): string {
  return box.open(sealed, `host-key:${host}`);
}

/** A private key that logs in at an address. */
export function sealIdentity(privateKey: string, address: string, box: SecretBox): string {
  return box.seal(privateKey, `identity:${address}`);
}

export function openIdentity(sealed: string, address: string, box: SecretBox): string {
  return box.open(sealed, `identity:${address}`);
}
