import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { AddressPolicy } from "../../../../core/network/address-policy.js";
import type { Database } from "../../../../core/redis/database.js";
import { isAppError } from "../../../../core/errors/app-error.js";
import { silentLog } from "../../../../core/log.js";
import { Outbox } from "../../../../core/outbox/outbox.js";
import { SecretBox } from "../../../../core/secrets.js";
import type { AppEvent } from "../../../../server/events/app-event.js";
import { Notifier } from "../../../../server/notify/notifier.js";
import { ReceiverStore } from "../../../../server/notify/receiver-store.js";
import { eventually } from "../../../support/eventually.js";
import { FakeClock } from "../../../support/fakes/fake-clock.js";
import { freePort } from "../../../support/network/free-port.js";
import { HttpReceiver } from "../../../support/network/http-receiver.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

const FORM = { form: "standard", events: "all" } as const;

const LOOPBACK = new AddressPolicy(["127.0.0.0/8"]);

describe("notifications", function () {
  this.timeout(30_000);
  let server: TestRedis;
  let redis: Database;
  let clock: FakeClock;
  let outbox: Outbox;
  let receivers: ReceiverStore;
  let notifier: Notifier;
  let loop: { stop(): Promise<void> };
  const open: HttpReceiver[] = [];

  before(async () => {
    server = await TestRedis.start();
    redis = await server.connect();
  });
  beforeEach(async () => {
    await redis.flushall();
    clock = new FakeClock(Date.now());
    outbox = new Outbox(redis, "test", { clock, log: silentLog, random: () => 0.5 });
    receivers = new ReceiverStore(redis, new SecretBox(randomBytes(32)), LOOPBACK);
    notifier = new Notifier({ receivers, outbox, clock, addresses: LOOPBACK });
    loop = outbox.start(notifier.handlers());
  });
  afterEach(async () => {
    await loop.stop();
    await Promise.all(open.splice(0).map(async (receiver) => receiver.stop()));
  });
  after(async () => server.dispose());

  it("reach a receiver signed, so that Standard Webhooks' own library verifies them", async () => {
    const receiver = await listen();
    const { secret = "" } = await receivers.add("shop", { ...FORM, url: receiver.url("/hook") });
    expect(await notifier.tell(event())).to.equal(1);
    const [got] = await eventually("it arrives", () => receiver.received.length > 0 && receiver.received);
    expect(got).to.include({ method: "POST", path: "/hook" });
    const verified = new Webhook(secret).verify(got?.body ?? "", got?.headers as Record<string, string>);
    expect(verified).to.deep.include({ type: "release.live", timestamp: event().at });
  });

  it("reach a receiver that was down at first, with the same id and the time of the try", async () => {
    const port = await freePort();
    const { secret = "" } = await receivers.add("shop", { ...FORM, url: `http://127.0.0.1:${port}/` });
    await notifier.tell(event());
    await eventually("the first try failed", async () => (await attempts()) === 1);
    const receiver = await listen(port);
    receiver.answer = (response) => response.writeHead(500).end();
    clock.advance(1000);
    await eventually("the second try failed", async () => (await attempts()) === 2);
    receiver.answer = (response) => response.writeHead(200).end();
    clock.advance(5000);
    await eventually("it is delivered", async () => (await outbox.size()) === 0);
    const [second, third] = receiver.received;
    expect(third?.headers["webhook-id"]).to.equal(second?.headers["webhook-id"]);
    expect(Number(third?.headers["webhook-timestamp"])).to.equal(
      Number(second?.headers["webhook-timestamp"]) + 5,
    );
    expect(new Webhook(secret).verify(third?.body ?? "", third?.headers as Record<string, string>)).to.be.an(
      "object",
    );
  });

  it("are not held up by another receiver that is silent", async () => {
    const silent = await listen();
    silent.answer = () => undefined;
    const well = await listen();
    await receivers.add("shop", { ...FORM, url: silent.url() });
    await receivers.add("shop", { ...FORM, url: well.url() });
    for (let number = 1; number <= 5; number++) await notifier.tell(event({ release: `v${number}` }));
    await eventually("all five are there", () => well.received.length === 5);
    await eventually("the silent one has its first", () => silent.received.length > 0);
    expect(silent.received).to.have.length(1);
    for (const receiver of open.splice(0)) await receiver.stop();
  });

  it("go to those who want them, and only of their app", async () => {
    const [all, failures, other] = [await listen(), await listen(), await listen()];
    await receivers.add("shop", { ...FORM, url: all.url() });
    await receivers.add("shop", { ...FORM, url: failures.url(), events: ["release.failed"] });
    await receivers.add("blog", { ...FORM, url: other.url() });
    expect(await notifier.tell(event())).to.equal(1);
    expect(await notifier.tell(event({ type: "release.failed" }))).to.equal(2);
    expect(await notifier.tell(event({ app: "nobody" }))).to.equal(0);
    // A test is for everybody.
    expect(await notifier.tell(event({ test: true }))).to.equal(2);
    await eventually("all is delivered", async () => (await outbox.size()) === 0);
    expect([all, failures, other].map(({ received }) => received.length)).to.deep.equal([3, 2, 0]);
  });

  it("are given up when they are refused, and that is told of the receiver without its secrets", async () => {
    const receiver = await listen();
    receiver.answer = (response) => response.writeHead(404).end("no_service");
    const { id } = await receivers.add("shop", {
      form: "slack",
      events: "all",
      url: receiver.url("/services/T0/B0/word"),
    });
    await notifier.tell(event());
    const [undelivered] = await eventually("it is given up", async () => {
      const all = await notifier.undelivered("shop");
      return all.length > 0 && all;
    });
    expect(undelivered).to.deep.equal({
      receiver: id,
      type: "release.live",
      at: new Date(clock.now()).toISOString(),
      reason: `127.0.0.1:${receiver.port} answered 404: no_service`,
    });
    expect(await notifier.undelivered("blog")).to.deep.equal([]);
  });

  it("are dropped when their receiver was removed meanwhile", async () => {
    const receiver = await listen();
    receiver.answer = (response) => response.writeHead(500).end();
    const { id } = await receivers.add("shop", { ...FORM, url: receiver.url() });
    await notifier.tell(event());
    await eventually("the first try failed", async () => (await attempts()) === 1);
    await receivers.remove("shop", id);
    clock.advance(1000);
    await eventually("it is gone", async () => (await outbox.size()) === 0);
    expect(receiver.received).to.have.length(1);
    expect(await notifier.undelivered("shop")).to.deep.equal([]);
  });

  it("keep address and secret sealed, and show neither the secret nor a query again", async () => {
    const made = await receivers.add("shop", { ...FORM, url: "https://example.com/hook?key=word" });
    expect(made.secret).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const shown = { id: made.id, url: "https://example.com/hook?…", ...FORM, createdAt: made.createdAt };
    expect(await receivers.list("shop")).to.deep.equal([shown]);
    const kept = JSON.stringify(await redis.hgetall("sluice:notifications:shop"));
    expect(kept).not.to.match(/example\.com|word/);
    expect(kept).not.to.include(made.secret);
    const slack = await receivers.add("shop", {
      ...FORM,
      form: "slack",
      url: "https://hooks.slack.com/services/x",
    });
    expect(slack).not.to.have.property("secret");
  });

  it("have no more than 20 receivers of an app", async () => {
    for (let index = 0; index < 20; index++)
      await receivers.add("shop", { ...FORM, url: "https://example.com" });
    const refused: unknown = await receivers
      .add("shop", { ...FORM, url: "https://example.com" })
      .catch((error: unknown) => error);
    expect(isAppError(refused, "receivers-too-many")).to.equal(true);
    expect(await receivers.list("shop")).to.have.length(20);
  });

  async function listen(port?: number): Promise<HttpReceiver> {
    const receiver = await HttpReceiver.start(port);
    open.push(receiver);
    return receiver;
  }

  /** Of the only notification that waits. */
  async function attempts(): Promise<number> {
    const [text = "{}"] = await redis.hvals("sluice:outbox:test:jobs");
    return (JSON.parse(text) as { attempts: number }).attempts;
  }
});

function event(more: Partial<AppEvent> = {}): AppEvent {
  return {
    type: "release.live",
    app: "shop",
    release: "v42",
    commit: "0123456789abcdef0123456789abcdef01234567",
    branch: "master",
    track: "production",
    at: "2026-01-31T10:00:00.000Z",
    url: "http://shop.example.com",
    ...more,
  };
}
