import { tinyApp } from "../../test/support/git/tiny-app.js";

/** A web app without dependencies: answers its release and instance, and echoes on WebSockets, its release before each message. */
export function echoApp(more: Record<string, string> = {}): Record<string, string> {
  return tinyApp({ "server.js": SERVER, "web-socket.js": WEB_SOCKET, ...more });
}

const SERVER = `
const http = require("node:http");
const { accept } = require("./web-socket.js");
const { RELEASE, DYNO, PORT } = process.env;
const server = http.createServer((request, response) => response.end(RELEASE + " " + DYNO));
server.on("upgrade", (request, socket) => accept(request, socket, RELEASE));
server.listen(PORT, "127.0.0.1");
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => process.exit(0), 2000).unref();
});
`;

/** RFC 6455, as far as short text messages and a closing handshake need it. */
const WEB_SOCKET = `
const { createHash } = require("node:crypto");
const TEXT = 1, CLOSE = 8, PING = 9, PONG = 10;

exports.accept = (request, socket, release) => {
  const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const proof = createHash("sha1").update(key).digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: " + proof + "\\r\\n\\r\\n");
  socket.write(frame(TEXT, Buffer.from(release)));
  let rest = Buffer.alloc(0);
  socket.on("data", (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let next = parse(rest); next; next = parse(rest)) {
      rest = rest.subarray(next.length);
      if (next.code === TEXT) socket.write(frame(TEXT, Buffer.concat([Buffer.from(release + " "), next.payload])));
      if (next.code === PING) socket.write(frame(PONG, next.payload));
      if (next.code === CLOSE) socket.end(frame(CLOSE, next.payload));
    }
  });
  socket.on("error", () => socket.destroy());
  const goodbye = () => socket.end(frame(CLOSE, Buffer.from([1001 >> 8, 1001 & 255])));
  process.once("SIGTERM", goodbye);
  socket.on("close", () => process.off("SIGTERM", goodbye));
};

function frame(code, payload) {
  return Buffer.concat([Buffer.from([128 | code, payload.length]), payload]);
}

function parse(bytes) {
  if (bytes.length < 6) return undefined;
  const size = bytes[1] & 127;
  if (bytes.length < 6 + size) return undefined;
  const payload = Buffer.from(bytes.subarray(6, 6 + size)).map((byte, index) => byte ^ bytes[2 + (index % 4)]);
  return { code: bytes[0] & 15, payload, length: 6 + size };
}
`;
