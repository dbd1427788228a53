import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server as TcpServer } from "node:net";
import { chmod, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../core/log.js";
import type { Settings } from "../core/settings/settings.js";
import { ControlCertificate, type ControlCertificateOptions } from "./control-certificate.js";
import { controlUrl } from "./releases/public-url.js";
import { tlsOrPlain } from "./tls-or-plain.js";

export interface ListenOptions {
  readonly settings: Settings;
  /** What the port's certificate is taken from. */
  readonly tls: Omit<ControlCertificateOptions, "control" | "log">;
  /** For who may read the state folder; undefined where there can be none. */
  readonly socket: string | undefined;
  readonly log: Log;
}

/** Serves on the control port, with TLS where it has a domain, and on the control socket. */
export async function listen(
  app: RequestListener,
  { settings, tls, socket, log }: ListenOptions,
): Promise<{ close(): Promise<void> }> {
  const { controlBind, controlPort, control } = settings;
  const plain = makeServer(app, log);
  const closePort =
    control.domain === undefined
      ? await listenPlain(plain, controlPort, controlBind)
      : await listenWithTls(app, plain, { settings, tls, log });
  const closeSocket = socket === undefined ? undefined : await listenOnSocket(app, socket, log);
  return {
    close: async () => {
      await Promise.all([closePort(), closeSocket?.()]);
    },
  };
}

async function listenPlain(server: Server, port: number, bind: string): Promise<() => Promise<void>> {
  await opened(server, () => server.listen(port, bind));
  return async () => close(server);
}

async function listenWithTls(
  app: RequestListener,
  plain: Server,
  { settings, tls, log }: Pick<ListenOptions, "settings" | "tls" | "log">,
): Promise<() => Promise<void>> {
  const secure = createTlsServer({ ALPNProtocols: ["http/1.1"] }, app);
  secure.requestTimeout = 0;
  const certificate = await ControlCertificate.keepFor(secure, { ...tls, control: settings.control, log });
  const port = tlsOrPlain(plain, secure, controlUrl(settings));
  port.on("error", (error) => log.warn({ err: error }, "control port"));
  await opened(port, () => port.listen(settings.controlPort, settings.controlBind));
  return async () => {
    await certificate.stop();
    const closed = new Promise<void>((resolve) => port.close(() => resolve()));
    for (const server of [plain, secure]) server.closeAllConnections();
    await closed;
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

async function opened(server: TcpServer, open: () => void): Promise<void> {
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
