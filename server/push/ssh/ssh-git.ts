import { createServer, type Socket } from "node:net";
import ssh2 from "ssh2";
import { originOf } from "../../access/origin.js";
import { ConnectionLimit, type ConnectionLimits } from "./connection-limit.js";
import { hostKey } from "./host-key.js";
import { serveClient, type ServeClientOptions } from "./serve-client.js";

export interface SshGitOptions extends ServeClientOptions {
  readonly hostKeyFile: string;
  readonly bind: string;
  readonly port: number;
  readonly limits?: ConnectionLimits;
  /** A connection that has not logged in by then is closed. */
  readonly loginMs?: number;
  readonly keepalive?: { readonly keepaliveInterval: number; readonly keepaliveCountMax: number };
}

const LIMITS: ConnectionLimits = { inAll: 100, perAddress: 20, halfOpen: 30 };
const LOGIN_MS = 60_000;
const TURN_AWAY_MS = 1000;
/** A client that leaves so many unanswered is gone. */
const KEEPALIVE = { keepaliveInterval: 30_000, keepaliveCountMax: 3 };

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
