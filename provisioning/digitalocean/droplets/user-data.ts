import { stringify } from "yaml";
import { AppError } from "../../../core/errors/app-error.js";
import type { SshKeyPair } from "../../../core/ssh-key-pair.js";

export interface UserData {
  readonly hostname: string;
  /** ed25519. Any process on the droplet can read it in the metadata: rotate it after the first login. */
  readonly hostKey: SshKeyPair;
  /** Lines of root's `authorized_keys`. */
  readonly authorizedKeys: readonly string[];
}

/** DigitalOcean's limit. */
const MOST_BYTES = 65_536;

/**
 * A cloud-config (cloudinit.readthedocs.io, modules `ssh` and `set_hostname`): the host's only SSH key is the given one, so that
 * it can be pinned before the first contact. Root logs in with the authorized keys; passwords are refused.
 */
export function userDataOf({ hostname, hostKey, authorizedKeys }: UserData): string {
  const config = {
    hostname,
    disable_root: false,
    ssh_pwauth: false,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
    // No default user, so that only root gets the keys.
    users: [],
    ssh_authorized_keys: [...authorizedKeys],
  };
  const text = `#cloud-config\n${stringify(config, { lineWidth: 0 })}`;
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_BYTES) throw new AppError("digitalocean-user-data-long", { bytes, most: MOST_BYTES });
  return text;
}
