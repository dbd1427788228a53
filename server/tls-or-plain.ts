import {
  createServer as createPlainServer,
  type RequestListener,
  type Server as HttpServer,
} from "node:http";
import type { Server as HttpsServer } from "node:https";
import { createServer, isIP, type Server, type Socket } from "node:net";

/** The first byte of a TLS connection: a handshake record (RFC 8446, 5.1). */
const HANDSHAKE = 0x16;
const FIRST_BYTE_MS = 30_000;

/**
 * One port for https and http. Programs on this machine, such as apps that read their flags, may use http; who comes from another
 * one is told to use https, since their token would cross the network in clear. `url`: of the port, `https://HOST:PORT`.
 */
export function tlsOrPlain(plain: HttpServer, secure: HttpsServer, url: string): Server {
  const refusal = createPlainServer(refuse(url));
  return createServer({ noDelay: true }, (socket) => {
    socket.setTimeout(FIRST_BYTE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.once("data", (chunk: Buffer) => {
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      socket.pause();
      socket.unshift(chunk);
      const server = chunk[0] === HANDSHAKE ? secure : isFromHere(socket) ? plain : refusal;
      server.emit("connection", socket);
      process.nextTick(() => socket.resume());
    });
  });
}

function isFromHere({ remoteAddress = "" }: Socket): boolean {
  const address = remoteAddress.replace(/^::ffff:/, "");
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

function refuse(url: string): RequestListener {
  return (request, response) => {
    request.resume();
    response.setHeader("connection", "close");
    const isPage = request.method === "GET" || request.method === "HEAD";
    if (isPage) response.writeHead(301, { location: `${url}${request.url ?? "/"}` }).end();
    else
      response
        .writeHead(403, { "content-type": "text/plain" })
        .end(
          `Use ${url}: what you sent crossed the network in clear. If there was a token in it, replace that one.\n`,
        );
  };
}
