/** The code of a web app without dependencies: answers its release and instance; echoes on an upgraded connection; starts in some 40 ms. */
export const TINY_SERVER = `
const http = require("node:http");
const { RELEASE, DYNO, PORT, SOCKET } = process.env;
const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://x");
  if (url.pathname === "/slow") return setTimeout(() => response.end(RELEASE), Number(url.searchParams.get("ms")));
  if (url.pathname === "/env") return response.end(JSON.stringify(process.env));
  if (url.pathname === "/crash") return process.exit(3);
  if (url.pathname === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: " + RELEASE + "\\n\\n");
    const timer = setInterval(() => response.write("data: " + RELEASE + "\\n\\n"), 100);
    return response.on("close", () => clearInterval(timer));
  }
  response.end(RELEASE + " " + DYNO);
});
server.on("upgrade", (request, socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n" + RELEASE + "\\n");
  socket.on("data", (bytes) => socket.write(RELEASE + " " + bytes));
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  process.once("SIGTERM", () => socket.end("goodbye\\n"));
});
server.listen(SOCKET ?? PORT, () => console.log("listening", SOCKET ?? PORT));
process.on("SIGTERM", () => { console.log("goodbye"); server.close(() => process.exit(0)); server.closeIdleConnections(); setTimeout(() => process.exit(0), 2000).unref(); });
`;

/** Its files. `more` adds to them or replaces some. */
export function tinyApp(more: Record<string, string> = {}): Record<string, string> {
  return { "server.js": TINY_SERVER, Procfile: "web: node server.js\n", ...more };
}
