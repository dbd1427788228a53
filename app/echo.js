const MAX_MESSAGE_BYTES = 1024 * 1024;
const GOING_AWAY = 1001;

/** Gives the handler of a server's `upgrade` event: a WebSocket at /echo says who answers, then sends back what it gets. */
export function echo({ identity, stopping }) {
  let sockets;
  return async (req, socket, head) => {
    socket.on("error", () => socket.destroy());
    if (!isEcho(req)) {
      refuse(socket, "404 Not Found");
      return;
    }
    try {
      sockets ??= openSockets({ identity, stopping });
      const server = await sockets;
      if (stopping.aborted) refuse(socket, "503 Service Unavailable");
      else server.handleUpgrade(req, socket, head, (webSocket) => server.emit("connection", webSocket));
    } catch (error) {
      console.error(error);
      refuse(socket, "500 Internal Server Error");
    }
  };
}

async function openSockets({ identity: { release, instance }, stopping }) {
  const { WebSocketServer } = await import("ws");
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, closeTimeout: 2_000 });
  server.on("connection", (webSocket) => {
    webSocket.on("error", () => {}); // ws closes it by itself
    webSocket.on("message", (message, isBinary) => webSocket.send(message, { binary: isBinary }));
    webSocket.send(JSON.stringify({ release, instance }));
  });
  stopping.addEventListener("abort", () => {
    for (const webSocket of server.clients) webSocket.close(GOING_AWAY, "this release is stopping");
  });
  return server;
}

function isEcho(req) {
  return req.url.split("?", 1)[0] === "/echo";
}

function refuse(socket, status) {
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
