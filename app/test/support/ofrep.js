import { once } from "node:events";
import http from "node:http";
import { text } from "node:stream/consumers";

const PREFIX = "/flags/shop";

/** A small OFREP service: answers what stands in `flags`, and keeps what it was asked. `url` is the provider's base URL. */
export async function startOfrep({ token }) {
  const flags = new Map();
  const asked = [];
  const server = http.createServer(async (req, res) => {
    const [, key] = /^\/flags\/shop\/ofrep\/v1\/evaluate\/flags\/(\w+)$/.exec(req.url) ?? [];
    asked.push({ key, method: req.method, context: JSON.parse(await text(req)).context });
    const answer = (status, body) =>
      res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    const flag = flags.get(key);
    if (req.headers.authorization !== `Bearer ${token}`) answer(401, {});
    else if (flag === undefined) answer(404, { key, errorCode: "FLAG_NOT_FOUND" });
    else if (flag === "silent") return;
    else if (flag === "unwell") answer(500, { key, errorCode: "GENERAL" });
    else answer(200, { key, value: flag, reason: "STATIC" });
  });
  const start = async (port) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server.address().port;
  };
  const port = await start(0);
  return {
    url: `http://127.0.0.1:${port}${PREFIX}`,
    flags,
    asked,
    back: () => start(port),
    async end() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
