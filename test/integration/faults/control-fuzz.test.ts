import { expect } from "chai";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import { ask } from "../../support/network/ask.js";
import { Dice } from "../../support/dice.js";
import { eventually } from "../../support/eventually.js";
import { deliver, TestForge } from "../../support/git/test-forge.js";
import { hostileRequest, type HostileRequest } from "../../support/network/hostile-requests.js";
import { rawExchange, statusesIn } from "../../support/network/raw-exchange.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

/** `SLUICE_FUZZ_REQUESTS=20000` looks longer. */
const REQUESTS = Number(process.env["SLUICE_FUZZ_REQUESTS"] ?? 3000);
/** Another one sends others. */
const SEED = Number(process.env["SLUICE_FUZZ_SEED"] ?? 1);
const AT_ONCE = 16;
const MOST_MORE_MEGABYTES = 60;
/** As large as may be. */
const LARGE_BYTES = 25 * 1024 ** 2;

describe(`the control port under ${REQUESTS} hostile requests`, function () {
  this.timeout(60_000 + REQUESTS * 50);
  let sluice: TestSluice;
  let host: TestForge;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 3600 } } });
    host = await TestForge.start();
    clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
  });
  after(async () => {
    await host.dispose();
    await sluice.dispose();
  });

  it("neither dies nor answers 5xx (but 503), keeps its memory, and goes on deploying", async () => {
    const { secret } = await sluice.json<WebhookAnswer>("webhook", "shop", "--source", host.fileUrl);
    // The app's own variables.
    const given = JSON.parse((await sluice.get("shop", "/env")).body) as Record<string, string>;
    const target = {
      app: "shop",
      secret,
      adminToken: await sluice.token(),
      flagsToken: given["SLUICE_FLAGS_TOKEN"] ?? "",
    };
    const pid = await sluice.pid();
    const dice = new Dice(SEED);
    const kinds = new Map<string, number[]>();
    const offenders: string[] = [];
    let sent = 0;
    const send = async (count: number): Promise<void> => {
      const until = sent + count;
      const senders = Array.from({ length: AT_ONCE }, async () => {
        while (sent < until) {
          sent++;
          const request = hostileRequest(dice, target);
          const answer = await rawExchange(sluice.controlPort, request);
          const statuses = statusesIn(answer);
          kinds.set(request.kind, [...(kinds.get(request.kind) ?? []), ...statuses]);
          if (statuses.some((status) => status >= 500 && status !== 503))
            offenders.push(shown(request, answer));
        }
      });
      await Promise.all(senders);
    };
    // What is loaded and compiled with the first of them is no leak.
    await send(REQUESTS / 5);
    const before = await residentMegabytes(pid);
    await send(REQUESTS);
    expect(offenders.slice(0, 5)).to.deep.equal([]);
    for (const [kind, statuses] of kinds) expect(statuses, kind).not.to.be.empty;
    // Some came through: it is not all refused at the door.
    for (const kind of ["signed webhook", "flags", "ofrep", "api"])
      expect(
        kinds.get(kind)?.some((status) => status < 300),
        kind,
      ).to.equal(true);

    expect(await sluice.pid()).to.equal(pid);
    expect((await sluice.control("/healthz")).status).to.equal(200);
    await clone.commit({ "note.txt": "2" });
    await clone.mustPush();
    expect((await sluice.get("shop")).body).to.match(/^v\d+ web\.1$/);
    await eventually(
      `its memory is below ${before + MOST_MORE_MEGABYTES} MB`,
      async () => (await residentMegabytes(pid)) < before + MOST_MORE_MEGABYTES,
      30_000,
    );
  });
});

describe("strangers who send large bodies", function () {
  this.timeout(60_000);

  it("get no memory for more than a few, and keep nobody else from delivering", async () => {
    const sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 3600 } } });
    const sockets: Socket[] = [];
    try {
      const webhook = await sluice.json<WebhookAnswer>("webhook", "shop");
      const pid = await sluice.pid();
      const before = await residentMegabytes(pid);
      let refused = 0;
      for (let count = 0; count < 20; count++) {
        const socket = connect(sluice.controlPort, "127.0.0.1");
        sockets.push(socket);
        socket.on("error", () => undefined);
        socket.on("data", (bytes) => (refused += bytes.toString().startsWith("HTTP/1.1 503 ") ? 1 : 0));
        const length = count % 2 === 0 ? `content-length: ${LARGE_BYTES}` : "transfer-encoding: chunked";
        socket.write(`POST /webhooks/shop HTTP/1.1\r\nhost: x\r\n${length}\r\n\r\n`);
        if (count % 2 === 1) socket.write(`${LARGE_BYTES.toString(16)}\r\n`);
        // All but its end.
        socket.write(Buffer.alloc(LARGE_BYTES - 1000));
      }
      await eventually("the others are refused", () => refused === 16);
      await eventually("all has arrived", () => sockets.every(({ writableLength }) => writableLength === 0));
      expect(await residentMegabytes(pid)).to.be.below(before + 250);
      const small = await deliver(webhook, { branch: "master", commit: "a".repeat(40) });
      expect(small.status).to.equal(202);
      for (const socket of sockets) socket.destroy();
      await eventually("a large one is read again", async () => {
        const padding = { "content-type": "text/plain", "x-github-event": "push" };
        const path = "/webhooks/shop";
        const body = "x".repeat(2 * 1024 ** 2);
        const address = `127.0.0.1:${sluice.controlPort}`;
        return (await ask(address, { path, method: "POST", headers: padding, body })).status === 401;
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      await sluice.dispose();
    }
  });
});

describe("strangers who send many bodies", function () {
  this.timeout(60_000);

  it("get no memory for all of them, are told when to come again, and keep nobody else from delivering", async () => {
    const sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 3600 } } });
    const sockets: Socket[] = [];
    try {
      const webhook = await sluice.json<WebhookAnswer>("webhook", "shop");
      const pid = await sluice.pid();
      const before = await residentMegabytes(pid);
      const answers: string[] = [];
      const megabyte = 1024 ** 2;
      for (let count = 0; count < 250; count++) {
        const socket = connect(sluice.controlPort, "127.0.0.1");
        sockets.push(socket);
        socket.on("error", () => undefined);
        socket.on("data", (bytes) => answers.push(bytes.toString()));
        socket.write(`POST /webhooks/shop HTTP/1.1\r\nhost: x\r\ncontent-length: ${megabyte}\r\n\r\n`);
        // All but its end.
        socket.write(Buffer.alloc(megabyte - 1000));
      }
      await eventually("all but a few are refused", () => answers.length === 250 - 32);
      for (const answer of answers) expect(answer).to.match(/^HTTP\/1\.1 503 [^]*\r\nretry-after: 5\r\n/i);
      await eventually("all has arrived", () => sockets.every(({ writableLength }) => writableLength === 0));
      expect(await residentMegabytes(pid)).to.be.below(before + 120);
      const small = await deliver(webhook, { branch: "master", commit: "a".repeat(40) });
      expect(small.status).to.equal(202);
    } finally {
      for (const socket of sockets) socket.destroy();
      await sluice.dispose();
    }
  });
});

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** Enough of it to send it again. */
function shown({ kind, parts }: HostileRequest, answer: string): string {
  const bytes = Buffer.concat(parts).toString("latin1");
  return `${kind}: ${bytes.slice(0, 300)} … ${bytes.slice(-100)} (${bytes.length} bytes)\n→ ${answer.slice(0, 500)}`;
}
