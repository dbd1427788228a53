import { readFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import ssh2, { type Connection, type ServerChannel } from "ssh2";
import { AppError, toAppError } from "../../core/errors/app-error.js";
import { writeFileAtomically } from "../../core/files/atomic-file.js";
import { newSshKeyPair } from "../../core/ssh-key-pair.js";
import { atLowPriority } from "../../core/exec/low-priority.js";
import { endGroup } from "../../core/exec/exec.js";
import { startPiped } from "../../core/exec/start-piped.js";
import type { Log } from "../../core/log.js";
import { parseAppName } from "../../core/names.js";
import { authenticateKey } from "../access/authenticate-key.js";
import type { KeyStore } from "../access/key-store.js";
import { problemLines } from "../pipeline/output.js";
import type { AppStore } from "../apps/app-store.js";
import type { PushDesk } from "./push-desk.js";

export interface SshGitOptions {
  readonly keys: KeyStore;
  readonly apps: AppStore;
  readonly desk: PushDesk;
  readonly hostKeyFile: string;
  readonly bind: string;
  readonly port: number;
  readonly log: Log;
}

/** `ssh://git@HOST:PORT/APP`: Git over SSH, in this process; nothing but git can be run. */
export async function sshGit(options: SshGitOptions): Promise<{ close(): Promise<void> }> {
  const ssh = new ssh2.Server({ hostKeys: [await hostKey(options.hostKeyFile)] }, (client) =>
    serveClient(options, client),
  );
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.bind, resolve);
  });
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

function serveClient(options: SshGitOptions, client: Connection): void {
  /** Whose connection it is, or why nobody can say. */
  let by: string | AppError | undefined;
  // Without a handler the process would end with the connection.
  client.on("error", (error: Error) => options.log.debug({ reason: error.message }, "ssh connection"));
  client.on("authentication", (context) => {
    authenticateKey(options.keys, context).then(
      (name) => {
        by = name;
        if (name === undefined) context.reject(["publickey"]);
        else context.accept();
      },
      (error: unknown) => {
        options.log.warn({ err: error }, "ssh authentication");
        // Anyone gets in, only to see why nothing can be done.
        by = toAppError(error);
        context.accept();
      },
    );
  });
  client.on("session", (accept) => {
    const session = accept();
    const env: Record<string, string> = {};
    session.on("env", (acceptEnv, _reject, info) => {
      const value = "val" in info && typeof info.val === "string" ? info.val : "";
      if (info.key === "GIT_PROTOCOL" && /^[\w=:.-]{1,64}$/.test(value)) env["GIT_PROTOCOL"] = value;
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- absent when the client wants no answer
      acceptEnv?.();
    });
    session.on("exec", (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      if (typeof by !== "string") {
        refuse(channel, by ?? new AppError("unauthorized", {}));
        return;
      }
      serveCommand(options, channel, by, command, env).catch((error: unknown) =>
        refuse(channel, toAppError(error)),
      );
    });
    session.on("shell", (acceptShell) => refuse(acceptShell(), new AppError("ssh-git-only", {})));
  });
}

async function serveCommand(
  options: SshGitOptions,
  channel: ServerChannel,
  by: string,
  command: string,
  env: Record<string, string>,
): Promise<void> {
  const match = /^git[- ](receive-pack|upload-pack) '\/?([^'/]{1,64}?)(?:\.git)?'$/.exec(command);
  if (match === null) throw new AppError("ssh-git-only", {});
  const [, service = "", name = ""] = match;
  const app = parseAppName(name);
  const path =
    service === "receive-pack"
      ? await options.desk.repositoryForPush(app)
      : await options.desk.repositoryForFetch(
          app,
          (await options.apps.list()).map((record) => record.name),
        );
  await runGit(options.desk, channel, { app, by, service, path, env });
}

async function runGit(
  desk: PushDesk,
  channel: ServerChannel,
  {
    app,
    by,
    service,
    path,
    env,
  }: { app: string; by: string; service: string; path: string; env: Record<string, string> },
): Promise<void> {
  const push = desk.open(app, by);
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

function refuse(channel: ServerChannel, error: AppError): void {
  channel.stderr.write(`${problemLines(error).join("\n")}\n`);
  channel.exit(1);
  channel.end();
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
