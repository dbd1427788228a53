import type { Readable } from "node:stream";
import type { ServerHostKeyAlgorithm } from "ssh2";
import { NodeSSH } from "node-ssh";
import { unlessAborted } from "../../core/async/unless-aborted.js";
import { deferred } from "../../core/async/deferred.js";
import { AppError } from "../../core/errors/app-error.js";
import { quote } from "../../core/exec/quote.js";
import { printable } from "../../core/printable.js";
import { fingerprintOf, hostKeyLine, isSameKey } from "./host-key.js";
import type { SshLogin } from "./ssh-login.js";

const CONNECT_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 60_000;
/** Of one command: the longest, a list of all packages, has some hundred kilobytes. */
const MOST_OUTPUT_BYTES = 8_000_000;
/** Of a command that failed: its last lines, and of each so many characters. */
const LINES_TOLD = 8;
const MOST_CHARACTERS = 500;
/** A host whose power fails says nothing: after two of these without an answer the connection is lost. */
const KEEPALIVE_MS = 5000;

export interface RunOptions {
  readonly input?: string | Readable;
  readonly timeoutMs?: number;
}

export interface RemoteExit {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A host over SSH, as root. */
export class RemoteHost {
  /** `connect` makes one. */
  constructor(
    private readonly ssh: NodeSSH,
    private readonly login: SshLogin,
    /** What it has shown. */
    readonly hostKey: string,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener("abort", this.close);
  }

  /**
   * Until it is closed, or the signal aborts. Throws `host-unreachable`, `host-login-refused`, `host-key-changed`,
   * `sudo-needs-password`.
   */
  static async connect(login: SshLogin, signal: AbortSignal): Promise<RemoteHost> {
    let refused: unknown;
    const { privateKeys, agent } = login;
    for (const proof of [
      ...privateKeys.map((privateKey) => ({ privateKey })),
      ...(agent === undefined ? [] : [{ agent }]),
    ]) {
      signal.throwIfAborted();
      try {
        const host = await open(login, proof, signal);
        await host.checkRoot();
        return host;
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== "host-login-refused") throw error;
        refused = error;
      }
    }
    throw refused instanceof Error ? refused : new Error(`there is no key for ${login.host}`);
  }

  /**
   * Runs a script of root's, for sh(1). Throws `host-unreachable` when it does not end, and `host-output-long`; nothing more is
   * asked of the host then.
   */
  async run(script: string, { input, timeoutMs = COMMAND_TIMEOUT_MS }: RunOptions = {}): Promise<RemoteExit> {
    this.signal.throwIfAborted();
    const { user, host } = this.login;
    const command = `/bin/sh -c ${quote(script)}`;
    const given = deferred<never>();
    const timer = setTimeout(
      () => given.reject(unreachable(this.login, `a command took longer than ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    let left = MOST_OUTPUT_BYTES;
    const count = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left < 0)
        given.reject(new AppError("host-output-long", { host, megabytes: MOST_OUTPUT_BYTES / 1e6 }));
    };
    const running = this.ssh.execCommand(user === "root" ? command : `sudo -n ${command}`, {
      ...(input === undefined ? {} : { stdin: input }),
      ...{ noTrim: true, onStdout: count, onStderr: count },
    });
    try {
      const { code, signal, stdout, stderr } = await Promise.race([running, given.promise]);
      // A connection that broke has no exit status.
      if (code === null && signal === null) throw unreachable(this.login, "the connection was lost");
      return { status: code ?? 128, stdout, stderr };
    } catch (error) {
      running.catch(() => undefined);
      this.close();
      this.signal.throwIfAborted();
      throw error instanceof AppError ? error : unreachable(this.login, textOf(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** What a script prints, without the last line's end. Throws `host-command-failed`. */
  async output(script: string, options?: RunOptions): Promise<string> {
    const { status, stdout, stderr } = await this.run(script, options);
    if (status === 0) return stdout.replace(/\n$/, "");
    const lines = `${stdout}\n${stderr}`.trim().split("\n").slice(-LINES_TOLD);
    const said = lines.map((line) => printable(line).slice(0, MOST_CHARACTERS)).join("\n");
    throw new AppError("host-command-failed", { host: this.login.host, status, output: said });
  }

  /** Undefined where there is no such file. */
  async read(path: string): Promise<string | undefined> {
    const { status, stdout } = await this.run(`[ -e ${quote(path)} ] || exit 44; cat ${quote(path)}`);
    return status === 44 ? undefined : stdout;
  }

  /** A reader, or a crash, sees the old content or the new one. */
  async write(path: string, text: string, mode = "644"): Promise<void> {
    const folder = path.slice(0, path.lastIndexOf("/"));
    // Two that write at the same moment have a draft each.
    const script = `mkdir -p ${quote(folder)} && draft=$(mktemp ${quote(`${path}.sluice-XXXXXX`)}) || exit 1
trap 'rm -f "$draft"' EXIT
cat >"$draft" && chmod ${mode} "$draft" && sync "$draft" && mv "$draft" ${quote(path)}`;
    await this.output(script, { input: text });
  }

  readonly close = (): void => {
    this.signal.removeEventListener("abort", this.close);
    this.ssh.dispose();
  };

  private async checkRoot(): Promise<void> {
    const { user, host } = this.login;
    const { status, stdout, stderr } = await this.run("id -u");
    if (status === 0 && stdout.trim() === "0") return;
    this.close();
    throw new AppError("sudo-needs-password", { host, user, output: stderr.trim() });
  }
}

type Proof = { readonly privateKey: string } | { readonly agent: string };

async function open(login: SshLogin, proof: Proof, signal: AbortSignal): Promise<RemoteHost> {
  const ssh = new NodeSSH();
  let shown = "";
  const isKnown = (): boolean =>
    login.hostKeys.length === 0 || login.hostKeys.some((line) => isSameKey(line, shown));
  const [known] = login.hostKeys;
  try {
    const connecting = ssh.connect({
      ...{ host: login.address, port: login.port, username: login.user, ...proof },
      ...{ readyTimeout: CONNECT_TIMEOUT_MS, keepaliveInterval: KEEPALIVE_MS, keepaliveCountMax: 2 },
      // A host has keys of several kinds, and shows the one that is asked for.
      ...(known === undefined ? {} : { algorithms: { serverHostKey: [...algorithmsOf(known)] } }),
      hostVerifier: (key: Buffer) => {
        shown = hostKeyLine(key);
        return isKnown();
      },
    });
    await unlessAborted(connecting, signal);
  } catch (error) {
    ssh.dispose();
    signal.throwIfAborted();
    if (shown !== "" && !isKnown())
      throw new AppError("host-key-changed", {
        host: login.host,
        known: login.hostKeys.map(fingerprintOf),
        shown: fingerprintOf(shown),
      });
    if (/authentication methods failed/i.test(textOf(error)))
      throw new AppError("host-login-refused", { address: login.address, user: login.user });
    throw unreachable(login, textOf(error));
  }
  return new RemoteHost(ssh, login, shown, signal);
}

/** By which a host shows that key. */
function algorithmsOf(key: string): readonly ServerHostKeyAlgorithm[] {
  const [kind = ""] = key.split(" ");
  // The name of a key, and of the ways to sign with it (RFC 8332).
  return kind === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [kind as ServerHostKeyAlgorithm];
}

function unreachable({ host, address }: SshLogin, reason: string): AppError {
  return new AppError("host-unreachable", { host, address, reason });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
