import { expect } from "chai";
import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import { expectAccepted } from "../../support/accepted.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { ask } from "../../support/network/ask.js";
import { TestSluice, type HttpAnswer } from "../../support/running/test-sluice.js";

describe("the doors of a server", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => {
    sluice = await TestSluice.start({ settings: { bind: "0.0.0.0" } });
    expectAccepted(await (await sluice.clone("shop", tinyApp())).push());
  });
  after(async () => sluice.dispose());

  const door = (): string => `127.0.0.1:${sluice.controlPort}`;
  async function send(method: string, path: string, token?: string, body = ""): Promise<HttpAnswer> {
    const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
    return ask(door(), { method, path, body, ...(headers === undefined ? {} : { headers }) });
  }

  it("are two: that of the apps may be open to all while the control port is this machine's", async () => {
    const address = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ internal, family }) => !internal && family === "IPv4")?.address;
    const isOpen = async (port: number): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = connect(port, address ?? "127.0.0.2", () => resolve(true));
        socket.on("connect", () => socket.destroy()).on("error", () => resolve(false));
      });
    expect(await isOpen(sluice.httpPort)).to.equal(true);
    expect(await isOpen(sluice.controlPort)).to.equal(false);
    expect(await isOpen(sluice.sshPort)).to.equal(false);
  });

  it("open for whoever else is let in on purpose alone", async () => {
    for (const [bind, settings] of [
      ["0.0.0.0", {}],
      ["::", {}],
      ["192.0.2.1", {}],
    ] as const) {
      const other = await TestSluice.prepare({ settings: { ...settings, controlBind: bind } });
      try {
        const { status, stderr } = await other.cli("up");
        expect(status, bind).to.equal(1);
        expect(stderr).to.include(`controlBind (SLUICE_CONTROL_BIND) is ${bind}`);
        expect(stderr).to.include("ssh -L 8081").and.to.include("insecureControl: true");
      } finally {
        await other.dispose();
      }
    }
    const open = await TestSluice.start({ settings: { controlBind: "0.0.0.0", insecureControl: true } });
    await open.dispose();
  });

  it("do not open with an admin token that can be guessed", async () => {
    const other = await TestSluice.prepare();
    try {
      for (const token of ["x", "a".repeat(40), "twenty-three-characters"]) {
        const { status, stderr } = await other.cliWith({ SLUICE_TOKEN: token }, "up");
        expect(status, token).to.equal(1);
        expect(stderr).to.include("The admin token in SLUICE_TOKEN is too easy to guess");
        if (token !== "x") expect(stderr).not.to.include(token);
      }
    } finally {
      await other.dispose();
    }
  });

  it("say the same of an app that is there and of one that is not, to whoever has no right", async () => {
    const wrong = "f".repeat(64);
    const requests: [method: string, path: string, token: string | undefined][] = [
      ...(["GET", "POST"] as const).flatMap((method) =>
        [undefined, wrong].map(
          (token) => [method, "/flags/APP/beta/true", token] as [string, string, typeof token],
        ),
      ),
      ...[undefined, wrong].map(
        (token) => ["POST", "/flags/APP/ofrep/v1/evaluate/flags", token] as [string, string, typeof token],
      ),
      ["GET", "/git/APP.git/info/refs?service=git-upload-pack", undefined],
      ["GET", "/git/APP.git/info/refs?service=git-receive-pack", undefined],
      ["GET", "/api/apps/APP/releases", wrong],
      ["GET", "/logs/APP/v1/1999999999-0123456789012345678901234567890123456789", undefined],
      ["POST", "/webhooks/APP", undefined],
    ];
    // Nine wrong ones, and the next answers would be of too many: these come from the socket, which is never slowed down.
    const socket = `unix@${sluice.home}/control.sock`;
    for (const [method, path, token] of requests) {
      const answers = await Promise.all(
        ["shop", "none"].map(async (app) => {
          const headers: Record<string, string> =
            token === undefined ? {} : { authorization: `Bearer ${token}` };
          const answer = await ask(socket, { method, path: path.replace("APP", app), headers });
          return [answer.status, answer.body.replaceAll(app, "APP")];
        }),
      );
      expect(answers[0], `${method} ${path}`).to.deep.equal(answers[1]);
      expect([401, 404], `${method} ${path}`).to.include(answers[0]?.[0]);
    }
  });

  it("give nothing away by the time that an unknown app's delivery takes", async () => {
    const socket = `unix@${sluice.home}/control.sock`;
    await sluice.cli("webhook", "shop");
    const body = JSON.stringify({ ref: "refs/heads/master", pad: "x".repeat(200_000) });
    const headers = { "x-github-event": "push", "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    const times = { shop: [] as number[], none: [] as number[] };
    for (let round = 0; round < 41; round++)
      for (const app of ["shop", "none"] as const) {
        const began = performance.now();
        const { status } = await ask(socket, { method: "POST", path: `/webhooks/${app}`, headers, body });
        times[app].push(performance.now() - began);
        expect(status, app).to.equal(401);
      }
    const median = (all: number[]): number => [...all].sort((a, b) => a - b)[20] ?? 0;
    expect(median(times.shop) / median(times.none)).to.be.within(0.5, 2);
    expect(await sluice.read("apps/shop/deliveries")).to.have.length.at.least(40);
  });

  it("count wrong tokens of every kind together, and let right ones in meanwhile", async () => {
    const wrong: (() => Promise<HttpAnswer>)[] = [
      async () => send("GET", "/api/apps", "wrong"),
      async () => send("GET", "/flags/shop/beta/true?token=wrong"),
      async () => send("POST", "/flags/shop/ofrep/v1/evaluate/flags", "wrong"),
      async () => send("POST", "/webhooks/shop"),
      async () => send("POST", "/webhooks/none"),
      async () => send("GET", "/metrics?token=wrong"),
      async () =>
        ask(door(), {
          path: "/git/shop.git/info/refs?service=git-upload-pack",
          headers: { authorization: `Basic ${Buffer.from("git:wrong").toString("base64")}` },
        }),
    ];
    await Promise.all([...wrong, ...wrong].map(async (one) => one()));
    for (const one of wrong) {
      const { status, headers, body } = await one();
      expect(status, body).to.equal(429);
      expect(Number(headers["retry-after"])).to.be.within(1, 20);
    }
    expect((await send("GET", "/api/apps", await sluice.token())).status).to.equal(200);
    const { secret } = await sluice.json<WebhookAnswer>("webhook", "shop");
    const body = JSON.stringify({ zen: "!" });
    const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
    const signed = { "x-github-event": "ping", "x-hub-signature-256": signature };
    expect(
      (await ask(door(), { method: "POST", path: "/webhooks/shop", headers: signed, body })).status,
    ).to.equal(204);
    expectAccepted(await (await sluice.clone("shop", tinyApp())).push("--force", "HEAD:master"));
  });

  it("look at few guesses of a pipeline full of them", async () => {
    const request = (token: string): string =>
      `GET /api/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const count = 300;
    const text = Array.from({ length: count }, (_, index) => request(`guess-${index}`)).join("");
    const answers = await new Promise<string>((resolve, reject) => {
      let all = "";
      const socket = connect(sluice.controlPort, "127.0.0.1", () => socket.write(text));
      socket.on("error", reject).on("data", (chunk: Buffer) => {
        all += chunk.toString();
        if (all.split("HTTP/1.1 ").length > count) socket.destroy();
      });
      socket.on("close", () => resolve(all));
    });
    expect(answers.split("HTTP/1.1 429").length - 1).to.be.at.least(count - 9);
  });

  it("let only so many follow the events", async () => {
    const token = await sluice.token();
    const leave = new AbortController();
    const open: number[] = [];
    const follow = async (): Promise<void> => {
      const { status } = await fetch(`http://${door()}/api/events`, {
        headers: { authorization: `Bearer ${token}` },
        signal: leave.signal,
      });
      open.push(status);
    };
    for (let reader = 0; reader < 10; reader++) await follow();
    const eleventh = await send("GET", "/api/events", token);
    expect(open).to.deep.equal(Array.from({ length: 10 }, () => 200));
    expect([eleventh.status, eleventh.headers["retry-after"]]).to.deep.equal([429, "30"]);
    expect(eleventh.body).to.include("events-busy");
    leave.abort();
  });
});
