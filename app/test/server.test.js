import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { expect } from "chai";
import { WebSocket } from "ws";
import { temporaryFolder } from "./support/folder.js";
import { endApps, startApp } from "./support/process.js";

describe("server", () => {
  let app;
  afterEach(endApps);

  it("listens on 127.0.0.1 and says where", async () => {
    app = await startApp({ RELEASE: "v42" });
    expect(app.address).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    const res = await fetch(`${app.address}/version`);
    expect(await res.json()).to.include({ release: "v42", pid: app.pid });
  });

  it("ends with 1 and the reason when it cannot listen", async () => {
    app = await startApp();
    const { port } = new URL(app.address);
    const error = await startApp({ PORT: port }).catch((refusal) => refusal);
    expect(error.message).to.include('"code":1').and.include("EADDRINUSE");
  });

  it("stops on SIGTERM: requests finish, WebSockets and streams hear goodbye, it exits with 0", async () => {
    app = await startApp({
      RELEASE: "v42",
      DYNO: "web.1",
      REDIS_URL: "redis://hello:hidden-password@127.0.0.1:1",
    });
    expect((await fetch(`${app.address}/get/a`)).status).to.equal(503);
    const socket = new WebSocket(`${app.address.replace("http", "ws")}/echo`);
    const [hello] = await once(socket, "message");
    expect(JSON.parse(hello)).to.deep.equal({ release: "v42", instance: "web.1" });
    const events = await fetch(`${app.address}/events`);
    const slow = fetch(`${app.address}/slow/300`);
    const { port } = new URL(app.address);
    const late = net.connect(port, "127.0.0.1").setEncoding("utf8");
    late.write("GET /status HTTP/1.1\r\n");
    // Whatever was sent before this answer has reached the app.
    await fetch(`${app.address}/status`);

    const goodbye = once(socket, "close");
    await app.signal("SIGTERM");
    app.kill("SIGTERM");
    app.kill("SIGINT");
    late.write("Host: a\r\n\r\n");

    const [status] = await once(late, "data");
    expect(status)
      .to.match(/^HTTP\/1\.1 503 /)
      .and.match(/Connection: close/);
    const [code] = await goodbye;
    expect(code).to.equal(1001);
    expect(await events.text()).to.match(/^(data: v42\n\n)+$/);
    expect(await (await slow).json()).to.include({ ms: 300, release: "v42" });
    expect(await fetch(app.address).catch((error) => error.cause.code)).to.equal("ECONNREFUSED");
    expect(await app.exited).to.deep.equal({ code: 0, signal: null });
    expect(
      app
        .output()
        .split("\n")
        .map((line) => JSON.parse(line).event),
    ).to.deep.equal(["started", "stopping", "stopped"]);
    expect(app.output()).not.to.include("hidden-password");
  });

  it("listens on the socket named by SOCKET, also over the file of one that was killed, and removes it in the end", async () => {
    const { folder, remove } = await temporaryFolder();
    try {
      const SOCKET = path.join(folder, "app.sock");
      const killed = await startApp({ SOCKET });
      killed.kill("SIGKILL");
      await killed.exited;

      app = await startApp({ SOCKET, RELEASE: "v43" });
      expect(app.address).to.equal(`unix:${SOCKET}`);
      expect(await getOverSocket(SOCKET, "/version")).to.include({ release: "v43" });
      const second = await startApp({ SOCKET }).catch((refusal) => refusal);
      expect(second.message).to.include("EADDRINUSE");
      expect(await getOverSocket(SOCKET, "/version")).to.include({ release: "v43" });

      app.kill("SIGINT");
      expect(await app.exited).to.deep.equal({ code: 0, signal: null });
      expect(await getOverSocket(SOCKET, "/").catch((error) => error.code)).to.equal("ENOENT");
    } finally {
      await remove();
    }
  });
});

async function getOverSocket(socketPath, path) {
  const [res] = await once(http.get({ socketPath, path }), "response");
  return JSON.parse((await res.setEncoding("utf8").toArray()).join(""));
}
