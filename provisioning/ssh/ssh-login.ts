/** How a host is logged in to. */
export interface SshLogin {
  /** For messages. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** `root`, or one that sudo makes root without a password. */
  readonly user: string;
  /** In OpenSSH's format, without a passphrase. Each is tried in turn. */
  readonly privateKeys: readonly string[];
  /** Socket of an agent (ssh-agent(1)) whose keys are tried after them. */
  readonly agent?: string | undefined;
  /** Lines `ssh-ed25519 AAAA…`; it must show one of them. None: what it shows is believed, this once. */
  readonly hostKeys: readonly string[];
}
