import { expect } from "chai";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import type { AccessEntry } from "../../../core/api/apps/access-log.js";
import { eventually } from "../../support/eventually.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { ask } from "../../support/network/ask.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { TestSluice } from "../../support/running/test-sluice.js";

describe("an app's access log", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", tinyApp({ "app.json": wanting(true) }));
    await clone.mustPush();
    await (await sluice.clone("quiet", tinyApp())).mustPush();
  });
  after(async () => sluice.dispose());

  const log = async (): Promise<AccessEntry[]> => {
    const { status, stdout, stderr } = await sluice.cli("logs", "shop", "--access", "--json", "-n", "5000");
    expect(status, stderr).to.equal(0);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as AccessEntry);
  };
  /** The line of the request with this id. */
  const lineOf = async (id: string): Promise<AccessEntry> =>
    eventually(`the line of ${id}`, async () => (await log()).find(({ requestId }) => requestId === id));
  /** Bytes as they are. Returns the answer's first line. */
  const raw = async (bytes: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(sluice.httpPort, "127.0.0.1", () => socket.write(bytes));
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
      socket.on("error", reject);
      socket.on("close", () => resolve(text.split("\r\n")[0] ?? ""));
    });

  it("has a line for each request, without its query", async () => {
    await sluice.get("shop", "/slow?ms=120&token=secret", {
      "x-request-id": "first",
      "user-agent": "test/1",
      referer: "https://other.test/page?token=secret",
    });
    const { time, bytes, milliseconds, answeredAfterMilliseconds, ...entry } = await lineOf("first");
    expect(entry).to.deep.equal({
      ...{ app: "shop", release: "v1", track: "production", method: "GET", path: "/slow", status: 200 },
      ...{ address: "127.0.0.1", host: "shop.localhost", protocol: "h1", tls: null },
      ...{ userAgent: "test/1", referer: "https://other.test/page", requestId: "first" },
    });
    expect(Math.abs(Date.now() - Date.parse(time))).to.be.lessThan(10_000);
    expect(bytes).to.be.within(50, 1000);
    expect(milliseconds).to.be.within(120, 2000);
    expect(answeredAfterMilliseconds).to.be.within(120, milliseconds);
  });

  it("says which protocol, release and track a request had", async () => {
    const session = connectHttp2(`https://127.0.0.1:${sluice.httpsPort}`, { rejectUnauthorized: false });
    const stream = session.request({
      ":path": "/",
      ":authority": "v1.shop.localhost",
      "x-request-id": "second",
    });
    await new Promise((resolve) => stream.on("close", resolve).resume());
    session.close();
    expect(await lineOf("second")).to.include({ protocol: "h2", tls: "TLSv1.3", release: "v1" });
  });

  it("has requests that no instance got", async () => {
    await sluice.get("v9.shop", "/", { "x-request-id": "nobody" });
    const moved = { host: "www.shop.test", "x-request-id": "moved" };
    expect((await ask(`127.0.0.1:${sluice.httpPort}`, { headers: moved })).status).to.equal(301);
    expect(await lineOf("moved")).to.include({
      status: 301,
      release: null,
      track: null,
      host: "www.shop.test",
    });
    await sluice.get("shop", "/crash", { "x-request-id": "crash" });
    expect(await lineOf("crash")).to.include({ path: "/crash", answeredAfterMilliseconds: null });
    expect((await log()).filter(({ requestId }) => requestId === "nobody")).to.deep.equal([]);
    await eventually("it serves again", async () => (await sluice.get("shop")).status === 200);
  });

  it("stays JSON whatever visitors send", async () => {
    const send = async (id: string, target: string, ...headers: string[]): Promise<string> =>
      raw(
        Buffer.from(
          `GET ${target} HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\nX-Request-ID: ${id}\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`,
          "latin1",
        ),
      );
    const path = `/"},{"app":"x\\u0041'%0a%00`;
    await send("quotes", path, `User-Agent: a"b\\c\td\x01\x1b[31m`, `Referer: "}\\`);
    expect(await lineOf("quotes")).to.include({
      ...{ path, userAgent: `a"b\\c\td\x01\x1b[31m`, referer: `"}\\` },
    });
    await send("bytes", "/x", "User-Agent: \xff\xfe\xc3\xa9\xc3");
    expect((await lineOf("bytes")).userAgent).to.equal("\ufffd\ufffdé\ufffd");
    await send("placeholders", "/%[src]%ST", "User-Agent: %[env(PATH)] - -", "Referer: - -");
    expect(await lineOf("placeholders")).to.include({
      ...{ path: "/%[src]%ST", userAgent: "%[env(PATH)] - -", referer: "- -" },
    });
    const long = `/${"a".repeat(9000)}`;
    await send("long", long, `User-Agent: ${"\x02".repeat(3000)}`);
    const cut = await lineOf("long");
    expect([cut.path, cut.userAgent]).to.deep.equal([long.slice(0, 1000), "\x02".repeat(200)]);
    expect(await send("longest", `/${"a".repeat(16_384)}`)).to.include("400");
    // It cannot be read as anybody's request.
    expect((await log()).filter(({ requestId }) => requestId === "longest")).to.deep.equal([]);
    const { stdout } = await sluice.cli("logs", "shop", "--access");
    expect(stdout).to.include(` 127.0.0.1 GET shop.localhost/"},{"app":"x\\u0041'%0a%00 `);
  });

  it("delays no visitor while nobody reads it, and says what is missing", async () => {
    const server = await sluice.pid();
    process.kill(server, "SIGSTOP");
    try {
      const began = performance.now();
      const agent = "x".repeat(200);
      const path = `/${"y".repeat(900)}`;
      for (let batch = 0; batch < 10; batch++)
        await Promise.all(
          Array.from({ length: 10 }, async () => {
            expect((await sluice.get("shop", path, { "user-agent": agent })).status).to.equal(200);
          }),
        );
      expect(performance.now() - began).to.be.lessThan(10_000);
    } finally {
      process.kill(server, "SIGCONT");
    }
    await sluice.get("shop", "/", { "x-request-id": "after" });
    expect(await lineOf("after")).to.include({ status: 200 });
    const kept = (await log()).filter(({ path }) => path.startsWith("/yyy"));
    expect(kept.length).to.be.within(20, 99);
    await eventually(
      "the server's log says so",
      async () => (await sluice.serverLog()).includes("HAProxy dropped lines of access logs"),
      15_000,
    );
  });

  it("is kept for apps that want it alone", async () => {
    await sluice.get("quiet", "/", { "x-request-id": "quiet" });
    await sluice.get("shop", "/", { "x-request-id": "loud" });
    await lineOf("loud");
    expect(await readdir(join(sluice.home, "logs/access"))).to.deep.equal(["shop"]);
    expect((await sluice.cli("logs", "quiet", "--access")).stdout).to.equal("");
  });

  it("goes on after a restart, and names visitors behind a trusted proxy", async () => {
    const before = (await log()).length;
    await sluice.cli("down");
    await sluice.configure({ trustedProxies: ["127.0.0.1"] });
    await sluice.up();
    const forwarded = { "x-request-id": "behind", "x-forwarded-for": "8.8.8.8, 203.0.113.9" };
    await eventually("it serves", async () => (await sluice.get("shop", "/", forwarded)).status === 200);
    expect(await lineOf("behind")).to.include({ address: "203.0.113.9" });
    expect((await log()).length).to.be.greaterThan(before);
  });

  it("ends with the release that does not want it, and goes with the app", async () => {
    await clone.commit({ "app.json": wanting(false) });
    await clone.mustPush();
    await sluice.get("shop", "/", { "x-request-id": "unseen" });
    await clone.commit({ "app.json": wanting(true) });
    await clone.mustPush();
    await sluice.get("shop", "/", { "x-request-id": "seen" });
    expect(await lineOf("seen")).to.include({ release: "v3" });
    expect((await log()).filter(({ requestId }) => requestId === "unseen")).to.deep.equal([]);
    expect((await sluice.cli("destroy", "shop", "--yes")).status).to.equal(0);
    await eventually(
      "its folder is gone",
      async () => !(await readdir(join(sluice.home, "logs/access"))).includes("shop"),
    );
  });
});

function wanting(accessLog: boolean): string {
  return JSON.stringify({
    sluice: { accessLog, domains: ["shop.test", { name: "www.shop.test", redirectTo: "shop.test" }] },
  });
}
