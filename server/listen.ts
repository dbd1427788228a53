import { createServer, type RequestListener, type Server } from "node:http";
import { chmod, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../core/log.js";
import type { Settings } from "../core/settings/settings.js";

export interface ListenOptions extends Pick<Settings, "controlBind" | "controlPort"> {
  /** For who may read the state folder; undefined where there can be none. */
  readonly socket: string | undefined;
  readonly log: Log;
}

/** Serves on the control port, and on the control socket. */
export async function listen(
  app: RequestListener,
  { controlBind, controlPort, socket, log }: ListenOptions,
): Promise<{ close(): Promise<void> }> {
  const server = makeServer(app, log);
  await opened(server, () => server.listen(controlPort, controlBind));
  const closeSocket = socket === undefined ? undefined : await listenOnSocket(app, socket, log);
  return {
    close: async () => {
      await Promise.all([close(server), closeSocket?.()]);
    },
  };
}

export async function listenAt(
  app: RequestListener,
  { address, port }: { readonly address: string; readonly port: number },
  log: Log,
): Promise<{ close(): Promise<void> }> {
  const server = makeServer(app, log);
  await opened(server, () => server.listen(port, address));
  return { close: async () => close(server) };
}

/**
 * Takes the place of a socket that a killed server has left. It has its mode before it has its name, so that nobody else
 * finds one that is open to them. Where none can be made, the port is left. Returns what closes it.
 */
async function listenOnSocket(app: RequestListener, path: string, log: Log): Promise<() => Promise<void>> {
  const server = makeServer(app, log);
  // Not longer than the path: that is limited.
  const made = join(dirname(path), "control.new");
  const remove = async (): Promise<void> => rm(path, { force: true });
  try {
    await rm(made, { force: true });
    await opened(server, () => server.listen(made));
    await chmod(made, 0o600);
    await rename(made, path);
  } catch (error) {
    log.warn({ err: error, path }, "no control socket");
    await Promise.all([close(server), remove()]);
    return async () => undefined;
  }
  return async () => {
    await remove();
    await close(server);
  };
}

function makeServer(app: RequestListener, log: Log): Server {
  const server = createServer(app);
  // A push may take as long as its gates do.
  server.requestTimeout = 0;
  // A connection that cannot be accepted must not end the process.
  server.on("error", (error) => log.warn({ err: error }, "control port"));
  return server;
}

async function opened(server: Server, open: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    open();
  });
}

async function close(server: Server): Promise<void> {
  server.closeIdleConnections();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
