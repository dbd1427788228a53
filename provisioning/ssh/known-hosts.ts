import { appendFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { captureCommand } from "../../core/exec/exec.js";
import { exists } from "../../core/files/exists.js";

/** The host keys that ssh(1) of the same person knows (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
export class KnownHosts {
  constructor(private readonly file: string) {}

  /** Lines `ssh-ed25519 AAAA…`, of one kind; none for a host that was never seen. Rejects where there is no ssh-keygen(1). */
  async find(address: string, port: number): Promise<string[]> {
    if (!(await exists(this.file))) return [];
    // It knows hashed names, too. Without it nobody could tell whether the host is the one that was seen before.
    const { stdout } = await captureCommand({
      argv: ["ssh-keygen", "-F", nameOf(address, port), "-f", this.file],
      env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    });
    const keys = stdout
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#") && !line.startsWith("@"))
      .map((line) => line.split(/\s+/).slice(1, 3).join(" "));
    // A host shows the kind that is asked for.
    const [kind] = ["ssh-ed25519", "ecdsa-sha2-nistp256"].filter((each) =>
      keys.some((key) => key.startsWith(`${each} `)),
    );
    return kind === undefined ? keys : keys.filter((key) => key.startsWith(`${kind} `));
  }

  async add(address: string, port: number, key: string): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
    await appendFile(this.file, `${nameOf(address, port)} ${key}\n`, { mode: 0o600 });
  }
}

function nameOf(address: string, port: number): string {
  return port === 22 ? address : `[${address}]:${port}`;
}
