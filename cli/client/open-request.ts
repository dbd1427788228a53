import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
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
 * Sends a request to the server of the state folder: over its socket where there is one, which nobody else can have made,
 * else to its port. Throws `not-running`, and `connection-lost` when the connection breaks before the answer.
 */
export async function openRequest(
  { home, settings }: Pick<Context, "home" | "settings">,
  request: ApiRequest,
): Promise<IncomingMessage> {
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
    const outgoing = httpRequest({
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
