import { expect } from "chai";
import { execa } from "execa";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import { eventually } from "../../support/eventually.js";
import { HttpReceiver } from "../../support/network/http-receiver.js";
import { deliver, TestForge } from "../../support/git/test-forge.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { commandLines } from "../../support/running/command-lines.js";
import { TestSluice } from "../../support/running/test-sluice.js";

describe("an admin of one app who asks Sluice to connect to what only the machine reaches", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let inner: HttpReceiver;

  before(async () => {
    sluice = await TestSluice.start({ settings: { network: {} } });
    inner = await HttpReceiver.start();
    const clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
    const other = await sluice.clone("other", tinyApp({ "secret.txt": "another app's" }));
    await other.mustPush();
  });
  after(async () => {
    await inner.stop();
    await sluice.dispose();
  });

  it("adds no receiver of notifications there", async () => {
    const { port } = inner;
    for (const host of [
      ...["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "0.0.0.0"],
      ...["169.254.169.254", "10.0.0.1", "192.168.1.1"],
    ]) {
      const { status, stderr } = await sluice.cli("notify", "shop", "add", `http://${host}:${port}/`);
      expect(status, host).to.equal(1);
      expect(stderr, host).to.match(/is an address of this machine or of a private network/);
      expect(stderr, host).to.include("network.allow");
    }
    expect(inner.received).to.deep.equal([]);
  });

  it("fetches from no source there, and from no folder", async () => {
    const repository = join(sluice.home, "apps/other/repo.git");
    const { port } = inner;
    for (const source of [
      ...[`http://127.0.0.1:${port}/x.git`, `http://localhost:${port}/x.git`, `http://0x7f.1:${port}/x`],
      ...[`ssh://git@127.0.0.1:${port}/x.git`, "git@localhost:x.git", `git://127.0.0.1:${port}/x.git`],
      ...[`file://${repository}`, `file://localhost${repository}`, `file:///etc/..${repository}`],
    ]) {
      const answer = await sluice.cli("webhook", "shop", "--source", source, "--json");
      const text = answer.stdout + answer.stderr;
      expect(text, source).to.match(/is an address of this machine|is a folder of this machine/);
    }
    for (const source of ["ext::sh -c id", `ext::id`, repository, "fd::17"]) {
      const { status } = await sluice.cli("webhook", "shop", "--source", source);
      expect(status, source).to.equal(1);
    }
    expect(inner.received).to.deep.equal([]);
  });
});

describe("a source that is allowed", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let inner: HttpReceiver;
  let forge: TestForge;

  before(async () => {
    sluice = await TestSluice.start({ settings: { network: { allow: ["127.0.0.2"] } } });
    inner = await HttpReceiver.start();
    forge = await TestForge.start();
  });
  after(async () => {
    await forge.dispose();
    await inner.stop();
    await sluice.dispose();
  });

  it("leads to no other address by a redirect, nor by the alternates of its repository", async () => {
    const outer = await HttpReceiver.start(0, "127.0.0.2");
    try {
      for (const answer of ["redirect", "alternates"] as const) {
        outer.answer = (response, { path }) => {
          if (answer === "redirect")
            response.writeHead(302, { location: `http://127.0.0.1:${inner.port}${path}` }).end();
          else if (path.includes("http-alternates"))
            response.end(`http://127.0.0.1:${inner.port}/other.git/objects\n`);
          else if (path.includes("info/refs")) response.end(`${"a".repeat(40)}\trefs/heads/master\n`);
          else response.writeHead(404).end();
        };
        const source = `http://127.0.0.2:${outer.port}/x.git`;
        const webhook = await sluice.json<WebhookAnswer>("webhook", "led", "--source", source);
        if (answer === "redirect") expect(webhook).to.have.property("problem");
        const before = outer.received.length;
        expect((await deliver(webhook, { branch: "master", commit: "a".repeat(40) })).status).to.equal(202);
        await eventually("the source is asked", () => outer.received.length > before + 1);
        if (answer === "alternates")
          await eventually("git looks for alternates", () =>
            outer.received.some(({ path }) => path.includes("http-alternates")),
          );
      }
      expect(inner.received).to.deep.equal([]);
    } finally {
      await outer.stop();
    }
  });
});

describe("the password of a source", function () {
  this.timeout(300_000);
  let sluice: TestSluice;
  let outer: HttpReceiver;
  const password = "pa%40ss'word$(id)";

  before(async () => {
    sluice = await TestSluice.start();
    outer = await HttpReceiver.start();
  });
  after(async () => {
    await outer.stop();
    await sluice.dispose();
  });

  it("stands in no command line while the source is read, and in no file of the app", async () => {
    const seen: string[][] = [];
    outer.answer = (response, { headers }) => {
      void commandLines().then((lines) => {
        seen.push(lines);
        if (headers.authorization === undefined)
          response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
        else response.end(`${"a".repeat(40)}\trefs/heads/master\n`);
      });
    };
    const source = `http://reader:${password}@127.0.0.1:${outer.port}/x.git`;
    // By the API: the command's own line has what its user typed.
    const { hostname, port } = new URL(`http://127.0.0.1:${sluice.controlPort}`);
    const answer = await fetch(`http://${hostname}:${port}/api/apps/quiet/webhook`, {
      method: "PUT",
      headers: { authorization: `Bearer ${await sluice.token()}`, "content-type": "application/json" },
      body: JSON.stringify({ source }),
    });
    expect(await answer.json()).not.to.have.property("problem");
    const authorization = outer.received.at(-1)?.headers.authorization ?? "";
    expect(atob(authorization.replace("Basic ", ""))).to.equal(`reader:${decodeURIComponent(password)}`);
    await eventually("the processes were looked at", () => seen.length >= 2);
    const lines = seen.flat();
    expect(lines.filter((line) => line.includes("ls-remote"))).not.to.deep.equal([]);
    for (const secret of [password, decodeURIComponent(password)])
      expect(lines.filter((line) => line.includes(secret))).to.deep.equal([]);
    const { exitCode } = await execa("grep", ["-rqF", decodeURIComponent(password), sluice.home], {
      reject: false,
    });
    expect(exitCode, "grep finds nothing").to.equal(1);
  });

  it("is not in the command lines of the sample app's push, nor is the admin token", async () => {
    const other = await TestSluice.prepare();
    try {
      const seen = new Set<string>();
      await other.up("--demo");
      await eventually(
        "the sample app is pushed",
        async () => {
          for (const line of await commandLines()) seen.add(line);
          return (await other.get("hello")).status === 200;
        },
        170_000,
      );
      const token = await other.token();
      expect([...seen].some((line) => line.includes("git/hello.git"))).to.equal(true);
      expect([...seen].filter((line) => line.includes(token))).to.deep.equal([]);
      const config = await readFile(join(other.home, "demo/hello/.git/config"), "utf8");
      expect(config).not.to.include(token);
    } finally {
      await other.dispose();
    }
  });
});
