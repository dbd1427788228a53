import ssh2 from "ssh2";

export interface SshKeyPair {
  /** OpenSSH's own format. */
  readonly privateKey: string;
  /** A line for `authorized_keys`. */
  readonly publicKey: string;
}

const TRIES = 20;

/**
 * A new ed25519 key pair. One in some 256 that ssh2 1.17 makes cannot be read, by ssh2 or by OpenSSH: it drops the zeros that
 * a public key begins with (github.com/mscdex/ssh2/issues/1513). So each is read once before it is given out.
 */
export function newSshKeyPair(comment: string): SshKeyPair {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
    if (isReadable(pair.private) && isReadable(pair.public))
      return { privateKey: pair.private, publicKey: pair.public };
  }
  throw new Error(`none of ${TRIES} new SSH keys could be read`);
}

function isReadable(key: string): boolean {
  return !(ssh2.utils.parseKey(key) instanceof Error);
}

/** The line for `authorized_keys` of a private key; undefined for what is none, or has a passphrase. */
export function publicKeyOf(privateKey: string): string | undefined {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) return undefined;
  return `${key.type} ${key.getPublicSSH().toString("base64")} ${key.comment === "" ? "sluice" : key.comment}`;
}
