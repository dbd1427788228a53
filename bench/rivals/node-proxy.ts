import { Agent, createServer, request } from "node:http";

// node-proxy.ts PORT UPSTREAM_PORT
const [port, upstreamPort] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });

createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const upstream = request(
    { host: "127.0.0.1", port: upstreamPort, method, path: url, headers, agent },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    },
  );
  upstream.once("error", () => {
    if (!outgoing.headersSent) outgoing.writeHead(502);
    outgoing.end();
  });
  incoming.pipe(upstream);
}).listen(port, "127.0.0.1");
