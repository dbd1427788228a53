import { Agent, createServer, request } from "node:http";

// node-proxy.ts PORT UPSTREAM_ADDRESS:PORT
const [port, upstream = ""] = process.argv.slice(2);
const { hostname, port: upstreamPort } = new URL(`http://${upstream}`);
const agent = new Agent({ keepAlive: true });

createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const upstream = request(
    { host: hostname, port: upstreamPort, method, path: url, headers, agent },
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
}).listen(Number(port), "127.0.0.1");
