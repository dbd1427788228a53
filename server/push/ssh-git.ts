import { readFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { systemClock } from "../../core/clock.js";
import { AppError, isAppError, toAppError } from "../../core/errors/app-error.js";
import { writeFileAtomically } from "../../core/files/atomic-file.js";
import { newSshKeyPair } from "../../core/ssh-key-pair.js";
import { atLowPriority } from "../../core/exec/low-priority.js";
import { endGroup } from "../../core/exec/exec.js";
import { startPiped } from "../../core/exec/start-piped.js";
import type { Log } from "../../core/log.js";
import { parseAppName } from "../../core/names.js";
import type { Actor } from "../../core/records/events/actor.js";
import { authenticateKey } from "../access/authenticate-key.js";
import { refuseExpired, type Credential } from "../access/credential.js";
import { makeHolder, type Holder } from "../access/holder.js";
import type { KeyStore } from "../access/key-store.js";
import { originOf } from "../access/origin.js";
import type { WrongAttempts } from "../access/wrong-attempts.js";
import { problemLines } from "../pipeline/output.js";
import type { AppStore } from "../apps/app-store.js";
import { ConnectionLimit, type ConnectionLimits } from "./connection-limit.js";
import { openRepository } from "./open-repository.js";
import type { PushDesk } from "./push-desk.js";

export interface SshGitOptions {
  readonly keys: KeyStore;
  readonly attempts: WrongAttempts;
  readonly apps: AppStore;
  readonly desk: PushDesk;
  readonly hostKeyFile: string;
  readonly bind: string;
  readonly port: number;
  readonly log: Log;
  readonly limits?: ConnectionLimits;
  /** A connection that has not logged in by then is closed. */
  readonly loginMs?: number;
  readonly keepalive?: { readonly keepaliveInterval: number; readonly keepaliveCountMax: number };
}

const LIMITS: ConnectionLimits = { inAll: 100, perAddress: 20, halfOpen: 30 };
const LOGIN_MS = 60_000;
const TURN_AWAY_MS = 1000;
/** A client that answers none of so many is gone. */
const KEEPALIVE = { keepaliveInterval: 30_000, keepaliveCountMax: 3 };
/** As OpenSSH's `MaxAuthTries`. */
const MOST_KEYS = 6;
/** At once, of one connection; as OpenSSH's `MaxSessions`. */
const MOST_SESSIONS = 10;

/** `ssh://git@HOST:PORT/APP`: Git over SSH, in this process; nothing but git can be run. */
export async function sshGit(options: SshGitOptions): Promise<{ close(): Promise<void> }> {
  const hostKeys = [await hostKey(options.hostKeyFile)];
  const { limits = LIMITS, loginMs = LOGIN_MS } = options;
  const connections = new ConnectionLimit(limits);
  const server = createServer((socket) => {
    if (!connections.take(socket)) {
      turnAway(socket);
      return;
    }
    const deadline = setTimeout(() => socket.destroy(), loginMs);
    socket.once("close", () => clearTimeout(deadline));
    const onLogin = (): void => {
      clearTimeout(deadline);
      connections.markLoggedIn(socket);
    };
    // One for each connection: it is told whose it is.
    const ssh = new ssh2.Server({ hostKeys, ...KEEPALIVE, ...options.keepalive }, (client) =>
      serveClient(options, client, originOf(socket), onLogin),
    );
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.bind, resolve);
  });
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of connections.sockets()) socket.destroySoon();
      await closed;
    },
  };
}

/** A server may send lines for people before its version (RFC 4253, section 4.2). One that does not leave then is not waited for. */
function turnAway(socket: Socket): void {
  const deadline = setTimeout(() => socket.destroy(), TURN_AWAY_MS);
  socket.on("error", () => undefined).once("close", () => clearTimeout(deadline));
  socket.resume().end("Too many connections. Try again later.\r\n");
}

function serveClient(options: SshGitOptions, client: Connection, from: string, onLogin: () => void): void {
  /** Whose connection it is, or why nobody can say. */
  let holder: Holder | AppError | undefined;
  let refused = 0;
  const refuse = (context: AuthContext): void => {
    if (context.method === "publickey") refused++;
    if (refused >= MOST_KEYS || (refused > 0 && options.attempts.isPaused(from))) client.end();
    else context.reject(["publickey"]);
  };
  const admit = (context: AuthContext, as: Holder | AppError): void => {
    holder = as;
    onLogin();
    context.accept();
  };
  // Without a handler the process would end with the connection.
  client.on("error", (error: Error) => options.log.debug({ reason: error.message }, "ssh connection"));
  client.on("close", () => {
    // A client that tries all of its keys until one is right has done nothing wrong.
    if (holder === undefined && refused > 0) options.attempts.add(from).catch(() => undefined);
  });
  client.on("authentication", (context) => {
    authenticateKey(options.keys, context).then(
      (offered) => {
        if (offered === undefined) refuse(context);
        else if (offered.isProved) admit(context, holderOrExpired(offered.credential, from));
        else context.accept();
      },
      (error: unknown) => {
        options.log.warn({ err: error }, "ssh authentication");
        // Anyone gets in, only to see why nothing can be done.
        admit(context, toAppError(error));
      },
    );
  });
  let sessions = 0;
  client.on("session", (accept, reject) => {
    if (sessions >= MOST_SESSIONS) {
      reject();
      return;
    }
    sessions++;
    const session = accept();
    session.on("close", () => sessions--);
    const env: Record<string, string> = {};
    session.on("env", (acceptEnv, _reject, info) => {
      const value = "val" in info && typeof info.val === "string" ? info.val : "";
      if (info.key === "GIT_PROTOCOL" && /^[\w=:.-]{1,64}$/.test(value)) env["GIT_PROTOCOL"] = value;
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- absent when the client wants no answer
      acceptEnv?.();
    });
    session.on("exec", (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      if (holder === undefined || isAppError(holder)) {
        end(channel, holder ?? new AppError("unauthorized", {}));
        return;
      }
      serveCommand(options, channel, holder, command, env).catch((error: unknown) =>
        end(channel, toAppError(error)),
      );
    });
    session.on("shell", (acceptShell) => end(acceptShell(), new AppError("ssh-git-only", {})));
  });
}

async function serveCommand(
  options: SshGitOptions,
  channel: ServerChannel,
  holder: Holder,
  command: string,
  env: Record<string, string>,
): Promise<void> {
  const match = /^git[- ](receive-pack|upload-pack) '\/?([^'/]{1,64}?)(?:\.git)?'$/.exec(command);
  if (match === null) throw new AppError("ssh-git-only", {});
  const [, service = "", name = ""] = match;
  const app = parseAppName(name);
  const path = await openRepository(options, holder, app, service === "receive-pack" ? "push" : "fetch");
  await runGit(options.desk, channel, { app, actor: holder, service, path, env });
}

async function runGit(
  desk: PushDesk,
  channel: ServerChannel,
  {
    app,
    actor,
    service,
    path,
    env,
  }: { app: string; actor: Actor; service: string; path: string; env: Record<string, string> },
): Promise<void> {
  const push = desk.open(app, actor);
  const child = startPiped({
    argv: atLowPriority(["git", service, path]),
    env: { ...push.env, ...env },
  });
  let ended = false;
  channel.on("close", () => {
    if (ended) return;
    push.interrupt();
    endGroup(child.pid, "SIGTERM");
    // Unread output would keep the child's end from being seen.
    child.stdout.destroy();
  });
  const incoming = push.limit.incoming();
  channel.pipe(incoming).pipe(child.stdin);
  child.stdin.on("error", () => incoming.unpipe().resume());
  child.stdout.pipe(push.limit.outgoing()).pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  try {
    const status = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
    ended = true;
    channel.exit(status);
    channel.end();
  } finally {
    await push.end();
  }
}

function end(channel: ServerChannel, error: AppError): void {
  channel.stderr.write(`${problemLines(error).join("\n")}\n`);
  channel.exit(1);
  channel.end();
}

function holderOrExpired(credential: Credential, address: string): Holder | AppError {
  try {
    refuseExpired(credential, "key", systemClock.now());
    return makeHolder(credential, `ssh ${address}`);
  } catch (error) {
    return toAppError(error);
  }
}

/** Made at the first start. Throws `host-key-invalid`. */
async function hostKey(file: string): Promise<string> {
  const known = await readFile(file, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (known === undefined) {
    const { privateKey } = newSshKeyPair("sluice");
    await writeFileAtomically(file, privateKey, 0o600);
    return privateKey;
  }
  const key = ssh2.utils.parseKey(known);
  if (key instanceof Error) throw new AppError("host-key-invalid", { file, reason: key.message });
  return known;
}
