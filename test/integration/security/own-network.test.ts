import { expect } from "chai";
import { networkInterfaces } from "node:os";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { TestSluice } from "../../support/running/test-sluice.js";

const MACHINE = "198.18.0.1";

/** Says what a connection from within comes to: `connected`, or why not. */
const PROBE = `
const net = require("node:net");
const tried = (host, port) => new Promise((resolve) => {
  const socket = net.connect({ host, port, timeout: 1500 });
  socket.on("connect", () => { socket.destroy(); resolve("connected"); });
  socket.on("timeout", () => { socket.destroy(); resolve("timeout"); });
  socket.on("error", (error) => resolve(error.code));
});
module.exports = tried;
if (require.main === module) (async () => {
  for (const address of process.argv.slice(2)) {
    const at = address.lastIndexOf(":");
    console.log("TRIED", address, await tried(address.slice(0, at), Number(address.slice(at + 1))));
  }
})();
`;
const SERVER = `
const tried = require("./probe.js");
require("node:http").createServer(async (request, response) => {
  const url = new URL(request.url, "http://x");
  const { DYNO, REDIS_URL, SLUICE_FLAGS_URL, SLUICE_FLAGS_TOKEN } = process.env;
  if (url.pathname === "/try") return response.end(await tried(url.searchParams.get("host"), Number(url.searchParams.get("port"))));
  if (url.pathname === "/flags") return fetch(SLUICE_FLAGS_URL + url.searchParams.get("path"), { method: "POST", headers: { authorization: "Bearer " + SLUICE_FLAGS_TOKEN } }).then((answer) => response.end(String(answer.status)), (error) => response.end(String(error.cause?.code)));
  if (url.pathname === "/redis") { const at = new URL(REDIS_URL); return response.end(await tried(at.hostname, Number(at.port))); }
  response.end(JSON.stringify({ dyno: DYNO, cookie: request.headers.cookie ?? null }));
}).listen(process.env.PORT, "127.0.0.1");
`;

describe("the network of an app", function () {
  this.timeout(90_000);
  let sluice: TestSluice;
  const get = async (path: string): Promise<string> => (await sluice.get("evil", path)).body;
  const tries = async (host: string, port: number): Promise<string> => get(`/try?host=${host}&port=${port}`);
  const evil = (more: Record<string, string> = {}): Record<string, string> => ({
    "server.js": SERVER,
    "probe.js": PROBE,
    Procfile: "web: node server.js\n",
    ...more,
  });
  /** Of this machine, as far as others reach it. */
  const addresses = (): string[] =>
    Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).flatMap(({ address, family }) => (family === "IPv4" ? [address] : [])),
    );

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    sluice = await TestSluice.start({ settings: { bind: "0.0.0.0" } });
    await (await sluice.clone("bank", tinyApp())).mustPush();
    await (await sluice.clone("evil", evil())).mustPush();
  });
  after(async () => sluice.dispose());

  it("reaches its Redis and its flags, and this machine's other ports nowhere", async () => {
    expect(await get("/redis")).to.equal("connected");
    expect(await get("/flags?path=/ofrep/v1/evaluate/flags")).to.equal("200");
    const targets = [MACHINE, "127.0.0.1", ...addresses()];
    for (const port of [sluice.controlPort, sluice.sshPort, sluice.httpPort])
      for (const host of targets)
        expect(await tries(host, port), `${host}:${port}`).not.to.equal("connected");
  });

  it("does not reach another app, a private network, or what clouds tell machines about themselves", async () => {
    const text = await readFile(join(sluice.home, "services/bank.v1.web.1/instance.json"), "utf8");
    const [host = "", port = ""] = (JSON.parse(text) as { address: string }).address.split(":");
    for (const [address, at] of [
      [host, Number(port)],
      ["169.254.169.254", 80],
      ["10.0.0.1", 80],
      ["192.168.0.1", 80],
    ] as const)
      expect(await tries(address, at), address).not.to.equal("connected");
  });

  it("gets nobody else's visitors, whatever port it listens on while they wait", async () => {
    const every =
      "for (let port = 4990; port < 5050; port++) require('node:net').createServer((s) => s.end('HTTP/1.1 200 OK\\r\\n\\r\\nSTOLEN')).on('error', () => 0).listen(port);";
    const clone = await sluice.clone(
      "thief",
      tinyApp({ "server.js": `${every}\n${tinyApp()["server.js"] ?? ""}` }),
    );
    await clone.push();
    const bodies: string[] = [];
    await sluice.get("bank", "/crash").catch(() => undefined);
    await eventually("the bank is back", async () => {
      const { status, body } = await sluice.get("bank", "/", { cookie: "session=secret" });
      bodies.push(body);
      return status === 200;
    });
    expect(bodies.at(-1)).to.equal("v1 web.1");
    expect(bodies.filter((body) => body.includes("STOLEN"))).to.deep.equal([]);
  });

  it("reaches from a gate neither Redis, nor flags, nor this machine", async () => {
    const redis = (await readFile(join(sluice.home, "apps-redis/port"), "utf8")).trim();
    const flags = (await readFile(join(sluice.home, "flags-port"), "utf8")).trim();
    const hosts = [MACHINE, "127.0.0.1", ...addresses()];
    const targets = hosts.flatMap((host) =>
      [redis, flags, String(sluice.controlPort)].map((port) => `${host}:${port}`),
    );
    const clone = await sluice.clone(
      "gated",
      evil({ "package.json": JSON.stringify({ scripts: { test: `node probe.js ${targets.join(" ")}` } }) }),
    );
    const { output } = await clone.push();
    expect(output.match(/TRIED/g)).to.have.length(targets.length);
    expect(output).not.to.include(" connected");
  });

  /** The machine's ends of these networks. */
  const devicesOf = async (ids: readonly string[]): Promise<string[]> => {
    const texts = ids.map(async (id) => readFile(join(sluice.home, "networks", id), "utf8"));
    const slots = (await Promise.all(texts)).map((text) => (JSON.parse(text) as { slot: number }).slot);
    const all = Object.keys(networkInterfaces());
    return all.filter((name) => slots.some((slot) => new RegExp(`^si[0-9a-f]{6}${slot}$`).test(name)));
  };

  it("goes with the app, and with Sluice", async () => {
    // But for those that are prepared for the next ones.
    const notes = async (): Promise<string[]> =>
      (await readdir(join(sluice.home, "networks"))).filter((id) => id.includes(".")).sort();
    const devices = await devicesOf(await notes());
    for (const app of ["gated", "thief"])
      expect((await sluice.cli("destroy", app, "--yes")).status).to.equal(0);
    expect(await notes()).to.deep.equal(["bank.v1.web.1", "evil.v1.web.1"]);
    await sluice.cli("down");
    const left = Object.keys(networkInterfaces()).filter((name) => devices.includes(name));
    expect(left).to.deep.equal([]);
  });
});
