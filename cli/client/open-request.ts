import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { AppError } from "../../core/errors/app-error.js";
import type { Context } from "../start/context.js";

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  /** JSON */
  readonly text: string | undefined;
}

/**
 * Sends a request to the server at SLUICE_URL, else to that of the state folder: over its socket where there is one, which nobody
 * else can have made, else to its port. Throws `not-running`, `server-unreachable`, and `connection-lost` when the connection
 * breaks before the answer.
 */
export async function openRequest(
  { home, settings, env }: Pick<Context, "home" | "settings" | "env">,
  request: ApiRequest,
): Promise<IncomingMessage> {
  const elsewhere = remoteUrl(env);
  if (elsewhere !== undefined) return openRemote(elsewhere, request);
  const socketPath = home.controlSocket();
  const port: RequestOptions = {
    host: settings.controlBind === "0.0.0.0" ? "127.0.0.1" : settings.controlBind,
    port: settings.controlPort,
  };
  try {
    if (socketPath === undefined) return await send(port, request);
    return await send({ socketPath }, request).catch(async (error: unknown) => {
      if (hasNoSocket(error)) return send(port, request);
      throw error;
    });
  } catch (error) {
    if (isBroken(error)) throw new AppError("connection-lost", {}, { cause: error });
    throw new AppError("not-running", { home: home.root }, { cause: error });
  }
}

/** Where the server is, when not on this machine. Throws `server-url-invalid`. */
export function remoteUrl(env: NodeJS.ProcessEnv): URL | undefined {
  const text = env["SLUICE_URL"];
  if (text === undefined || text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (url === undefined || !isSafe) throw new AppError("server-url-invalid", { url: text });
  return url;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

async function openRemote(url: URL, request: ApiRequest): Promise<IncomingMessage> {
  const where = { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port, protocol: url.protocol };
  try {
    return await send(where, request);
  } catch (error) {
    if (isBroken(error)) throw new AppError("connection-lost", {}, { cause: error });
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("server-unreachable", { url: url.origin, reason }, { cause: error });
  }
}

/** Somebody had taken it: what was sent may have been carried out. */
function isBroken(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

/** Of a server that was killed one is left that refuses: its port may be somebody else's by now, and gets no token. */
function hasNoSocket(error: unknown): boolean {
  if (!(error instanceof Error && "code" in error)) return false;
  // EACCES: the server is another user's, who has given this one a token.
  return error.code === "ENOENT" || error.code === "EACCES";
}

async function send(
  where: RequestOptions,
  { method, path, token, text }: ApiRequest,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = (where.protocol === "https:" ? httpsRequest : httpRequest)({
      ...where,
      path,
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(text === undefined ? {} : { "content-type": "application/json" }),
      },
    });
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    outgoing.end(text);
  });
}
