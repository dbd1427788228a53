import { expect } from "chai";
import { chmod } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { TestSluice } from "../../support/running/test-sluice.js";

const SLUICE = { listen: "socket" };
const LISTENS = JSON.stringify({ sluice: SLUICE });

/** What an app can do with the folder that its socket lies in: Sluice and the proxy come there as root, or as the proxy. */
describe("the socket of an instance", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  const servers: Server[] = [];
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    sluice = await TestSluice.start();
  });
  after(async () => {
    for (const server of servers) server.close();
    await sluice.dispose();
  });

  /** Somebody else's socket, as the proxy's or Docker's would be. Returns where it is, and how many have come. */
  const foreign = async (name: string, mode: number): Promise<{ path: string; count: () => number }> => {
    const path = join(sluice.folder, name);
    let count = 0;
    const server = createServer((socket) => {
      count++;
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nforeign");
      socket.on("error", () => undefined);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await chmod(path, mode);
    return { path, count: () => count };
  };

  it("is no link to somebody else's: the health check does not follow it", async () => {
    const { path, count } = await foreign("root.sock", 0o600);
    const server = `require("node:fs").symlinkSync(${JSON.stringify(path)}, process.env.SOCKET); setInterval(() => {}, 1000);`;
    const appJson = {
      sluice: SLUICE,
      healthchecks: { web: [{ path: "/;prompt", attempts: 1, timeout: 1, wait: 1 }] },
    };
    const clone = await sluice.clone("link", {
      ...tinyApp({ "server.js": server }),
      "app.json": JSON.stringify(appJson),
    });
    const { output, status } = await clone.push();
    expect(status, output).not.to.equal(0);
    expect(output).to.match(/is not a socket/);
    expect(count()).to.equal(0);
  });

  it("is not made one later: the proxy does not follow it", async () => {
    const { path, count } = await foreign("open.sock", 0o666);
    const swap = `if (url.pathname === "/swap") { const fs = require("node:fs"); fs.unlinkSync(SOCKET); fs.symlinkSync(${JSON.stringify(path)}, SOCKET); return response.end("swapped"); }`;
    const server = (tinyApp()["server.js"] ?? "").replace(
      'if (url.pathname === "/slow")',
      `${swap}\n  if (url.pathname === "/slow")`,
    );
    const clone = await sluice.clone("swap", { ...tinyApp({ "server.js": server }), "app.json": LISTENS });
    await clone.mustPush();
    expect((await sluice.get("swap", "/swap")).body).to.equal("swapped");
    // A kept connection leads to the app itself.
    await eventually("the proxy has given it up", async () => (await sluice.get("swap")).status === 503);
    expect(count()).to.equal(0);
  });

  it("of production is out of a preview's reach", async () => {
    const clone = await sluice.clone("bank", { ...tinyApp(), "app.json": LISTENS });
    await clone.mustPush();
    const thief = `
const fs = require("node:fs"), path = require("node:path");
const around = (folder, depth) => { for (const name of fs.readdirSync(folder)) { const each = path.join(folder, name);
  if (each === process.env.SOCKET) continue;
  try { if (fs.lstatSync(each).isDirectory()) { if (depth > 0) around(each, depth - 1); continue; } fs.unlinkSync(each); require("node:http").createServer((q, r) => r.end("STOLEN")).listen(each); } catch {} } };
setTimeout(() => around(path.dirname(path.dirname(process.env.SOCKET)), 2) ?? console.log("tried"), 500);
`;
    await clone.commit({ "server.js": `${thief}${tinyApp()["server.js"] ?? ""}` });
    await clone.push("HEAD:refs/heads/preview");
    await eventually("the thief has tried", async () =>
      (await sluice.cli("logs", "bank", "--release", "v2")).stdout.includes("tried"),
    );
    // More at once than there are kept connections.
    const visits = Array.from({ length: 50 }, async () => sluice.get("bank", "/slow?ms=300"));
    expect(new Set((await Promise.all(visits)).map(({ body }) => body))).to.deep.equal(new Set(["v1"]));
  });
});
