import { expect } from "chai";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import { HttpReceiver } from "../../support/network/http-receiver.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("sluice notify", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let receiver: HttpReceiver;
  before(async () => {
    sluice = await TestSluice.start();
    await (await sluice.clone("shop", tinyApp())).mustPush();
    receiver = await HttpReceiver.start();
  });
  after(async () => {
    await receiver.stop();
    await sluice.dispose();
  });

  it("adds a receiver, whose secret verifies what it is sent, lists it, and removes it", async () => {
    const added = await sluice.cli("notify", "shop", "add", receiver.url("/hook?key=word"));
    expect(added.status, added.stderr).to.equal(0);
    const [secret = "", note = ""] = added.stdout.split("\n");
    const [, id = ""] = /^\(id ([0-9a-f]{8}); .*shown only once\)$/.exec(note) ?? [];
    const [listed] = await sluice.json<Record<string, unknown>[]>("notify", "shop");
    expect(listed).to.have.all.keys("id", "url", "form", "events", "createdAt", "undelivered");
    expect(listed).to.include({ id, url: receiver.url("/hook?…"), form: "standard", events: "all" });

    expect((await sluice.cli("notify", "shop", "test")).stdout).to.equal(
      "A test release.live is on its way to 1 receiver.",
    );
    const [got] = await eventually("it arrives", () => receiver.received.length > 0 && receiver.received);
    expect(got?.path).to.equal("/hook?key=word");
    const verified = new Webhook(secret).verify(got?.body ?? "", got?.headers as Record<string, string>);
    expect(verified)
      .to.have.property("data")
      .that.includes({ app: "shop", test: true, url: `http://shop.localhost:${sluice.httpPort}` });

    expect((await sluice.cli("notify", "shop")).stdout).to.match(
      new RegExp(`^id .*\\n${id}  http://127\\.0\\.0\\.1:\\d+/hook\\?…  standard  all`),
    );
    expect((await sluice.cli("notify", "shop", "remove", id)).stdout).to.equal(`Removed ${id}.`);
    expect((await sluice.cli("notify", "shop")).stdout).to.equal("Nobody is notified.");
    expect((await sluice.cli("notify", "shop", "test")).stderr).to.include("Nobody is notified");
    const kept = await Promise.all(
      ["redis/appendonlydir/appendonly.aof.1.incr.aof", "server.log"].map((file) =>
        readFile(join(sluice.home, file), "utf8"),
      ),
    );
    for (const text of kept) expect(text).not.to.include(secret.slice(6));
    expect(kept.join()).not.to.include("key=word");
  });

  it("tells Slack in a line, and shows why a receiver was not told", async () => {
    const slack = await HttpReceiver.start();
    try {
      slack.answer = (response) => response.writeHead(404).end("no_service");
      await sluice.cli(
        "notify",
        "shop",
        "add",
        slack.url("/services/word"),
        "--slack",
        "--events",
        "canary.live",
      );
      await sluice.cli("notify", "shop", "test");
      const list = await eventually("it is given up", async () => {
        const { stdout } = await sluice.cli("notify", "shop");
        return stdout.includes("no_service") && stdout;
      });
      expect(list).to.match(/\/… +slack +canary\.live +\S+ \S+ 127\.0\.0\.1:\d+ answered 404: no_service$/);
      expect(list).not.to.include("services");
      const body = JSON.parse(slack.received[0]?.body ?? "{}") as Record<string, string>;
      expect(body["text"]).to.match(/^\[test\] shop: v1 is live on production\. http:/);
    } finally {
      await slack.stop();
      const [{ id } = { id: "" }] = await sluice.json<{ id: string }[]>("notify", "shop");
      await sluice.cli("notify", "shop", "remove", id);
    }
  });

  it("tells a receiver that is away when it is back, though the server was killed meanwhile", async () => {
    const port = await freePort();
    await sluice.cli("notify", "shop", "add", `http://127.0.0.1:${port}/`);
    await sluice.cli("notify", "shop", "test");
    await sluice.kill();
    const late = await HttpReceiver.start(port);
    try {
      await sluice.up();
      await eventually("it arrives", () => late.received.length > 0, 30_000);
    } finally {
      await late.stop();
    }
  });

  it("says what is wrong with what it was given", async () => {
    for (const args of [
      ["add"],
      ["remove"],
      ["test", "x"],
      ["list"],
      ["add", "http://x", "--events", "lunch"],
    ])
      expect(await sluice.cli("notify", "shop", ...args), args.join(" ")).to.include({
        status: 2,
        stdout: "",
      });
    const refused = await sluice.cli("notify", "shop", "add", "ftp://example.com");
    expect(refused).to.include({ status: 1, stdout: "" });
    expect(refused.stderr).to.include("ftp: is neither http: nor https:");
    expect((await sluice.cli("notify", "nope")).stderr).to.include('There is no app "nope" here.');
    expect((await sluice.cli("notify", "shop", "remove", "0")).stderr).to.include(
      "`sluice notify shop` lists them",
    );
    expect((await sluice.control("/api/apps/shop/notifications")).status).to.equal(401);
  });

  it("is forgotten with its app", async () => {
    await (await sluice.clone("gone", tinyApp())).mustPush();
    await sluice.cli("notify", "gone", "add", receiver.url());
    const connection = await sluice.redis();
    try {
      expect(await connection.redis.exists("sluice:notifications:gone")).to.equal(1);
      await sluice.cli("destroy", "gone", "--yes");
      expect(await connection.redis.exists("sluice:notifications:gone")).to.equal(0);
    } finally {
      connection.close();
    }
  });
});
