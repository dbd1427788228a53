import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { AddressPolicy } from "../../../core/network/address-policy.js";
import type { Database } from "../../../core/redis/database.js";
import { silentLog } from "../../../core/log.js";
import { monitorSettingsSchema } from "../../../core/settings/monitor-settings.js";
import { outboxJobSchema, type OutboxJob } from "../../../core/outbox/outbox-job.js";
import { Outbox } from "../../../core/outbox/outbox.js";
import { ALERT_OUTBOX } from "../../../core/records/alerts/alert-notice.js";
import { AlertRecords } from "../../../core/records/alerts/alert-records.js";
import type { AlertRecord } from "../../../core/records/alerts/alert-record.js";
import { HostRecords } from "../../../core/records/hosts/host-records.js";
import { SampleSeries } from "../../../core/records/hosts/sample-series.js";
import { keys } from "../../../core/redis/keys.js";
import type { EmailSettings } from "../../../core/settings/sender-settings.js";
import { EmailSender } from "../../../monitor/notices/mail/email-sender.js";
import type { Sender } from "../../../monitor/notices/senders/sender.js";
import { SentNotices } from "../../../monitor/notices/sent-notices.js";
import { SlackSender } from "../../../monitor/notices/senders/slack-sender.js";
import { TellPeople } from "../../../monitor/notices/tell-people.js";
import { WebhookSender } from "../../../monitor/notices/senders/webhook-sender.js";
import { anAlert } from "../../support/fakes/a-notice.js";
import { aSample } from "../../support/fakes/a-sample.js";
import { eventually } from "../../support/eventually.js";
import { FakeClock } from "../../support/fakes/fake-clock.js";
import { freePort } from "../../support/network/free-port.js";
import { HttpReceiver } from "../../support/network/http-receiver.js";
import { leaves, parseMail } from "../../support/network/parse-mail.js";
import { silentServer, SmtpReceiver } from "../../support/network/smtp-receiver.js";
import { TestRedis } from "../../support/redis/test-redis.js";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const PATIENT = { connectMs: 20_000, greetingMs: 20_000, answerMs: 20_000 };
const IMPATIENT = { connectMs: 1500, greetingMs: 1500, answerMs: 1500 };
const { rules } = monitorSettingsSchema.parse({});

const LOOPBACK = new AddressPolicy(["127.0.0.0/8"]);

describe("notices of alerts", function () {
  this.timeout(60_000);
  let server: TestRedis;
  let redis: Database;
  let clock: FakeClock;
  let outbox: Outbox;
  let people: TellPeople;
  let loop: { stop(): Promise<void> } | undefined;
  const open: { stop(): Promise<void> }[] = [];

  before(async () => {
    server = await TestRedis.start();
    redis = await server.connect();
  });
  beforeEach(async () => {
    await redis.flushall();
    clock = new FakeClock(Date.now());
  });
  afterEach(async () => {
    await loop?.stop();
    loop = undefined;
    await Promise.all(open.splice(0).map(async (one) => one.stop()));
  });
  after(async () => server.dispose());

  it("arrive by mail once each, over TLS and with a login, with the chart of the last 15 minutes", async () => {
    const smtp = await listen({ password: "p w" });
    await redis.xadd(
      keys.sampleSeconds("web-1"),
      `${clock.now() - 5000}-0`,
      "entry",
      JSON.stringify({ v: 1, sample: aSample({ cpu: 87 }) }),
    );
    start([email({ url: `smtp://sluice:p%20w@127.0.0.1:${smtp.port}` })]);
    await people.tell("raised", raised());
    await people.tell("resolved", resolved());
    await allDelivered();
    expect(smtp.received.map(({ to, user, secure }) => [to, user, secure])).to.deep.equal([
      [["ops@example.com"], "sluice", true],
      [["ops@example.com"], "sluice", true],
    ]);
    expect(subjects(smtp)).to.deep.equal([
      "[sluice] web-1: CPU 87 % (above 50 % for 30 s)",
      "[sluice] resolved: web-1: CPU 3 % (was above 50 % for 2 min)",
    ]);
    const [text, , chart] = leaves(parseMail(smtp.received[0]?.raw ?? ""));
    expect(text?.content.toString()).to.include("CPU of web-1, the 15 minutes to");
    expect(chart?.type).to.equal("image/png");
    expect(await redis.keys(`${keys.outbox(ALERT_OUTBOX).jobs}*`)).to.deep.equal([]);
  });

  it("arrive once though a turn is told again, before it was sent or after", async () => {
    const smtp = await listen();
    make([email({ host: "127.0.0.1", port: smtp.port })]);
    await people.tell("raised", raised());
    await people.tell("raised", raised());
    run();
    await allDelivered();
    await people.tell("raised", raised());
    await allDelivered();
    await people.tell("resolved", resolved());
    await allDelivered();
    expect(ids(smtp)).to.deep.equal(["<3f2a9c1d.raised@sluice>", "<3f2a9c1d.resolved@sluice>"]);
  });

  it("are tried again when the server says later, with the same id", async () => {
    const smtp = await listen();
    smtp.refuse = () => (smtp.asked < 3 ? { code: 451, text: "4.3.0 try later" } : undefined);
    start([email({ host: "127.0.0.1", port: smtp.port })]);
    await people.tell("raised", raised());
    await eventually("it arrives", async () => {
      await passes(SECOND_MS);
      return smtp.received.length > 0;
    });
    expect(smtp.asked).to.equal(3);
    expect(ids(smtp)).to.deep.equal(["<3f2a9c1d.raised@sluice>"]);
  });

  it("are given up at once for whom the server does not know; the others get theirs", async () => {
    const smtp = await listen();
    smtp.refuse = (to) => (to.startsWith("nobody") ? { code: 550, text: "5.1.1 no such user" } : undefined);
    start([email({ host: "127.0.0.1", port: smtp.port }, ["nobody@example.com", "ops@example.com"])]);
    await people.tell("raised", raised());
    await allDelivered();
    expect(smtp.received.map(({ to }) => to)).to.deep.equal([["ops@example.com"]]);
    const [givenUp] = await outbox.givenUp();
    expect(givenUp?.reason).to.match(/refuses the mail to nobody@example\.com: 550 5\.1\.1 no such user$/);
    expect(givenUp?.job.attempts).to.equal(0);
  });

  it("leave a server that wants fewer mails alone for a minute", async () => {
    const smtp = await listen();
    smtp.refuse = () => (smtp.asked === 1 ? { code: 450, text: "4.7.1 too many messages" } : undefined);
    start([email({ host: "127.0.0.1", port: smtp.port }, ["a@example.com", "b@example.com"])]);
    await people.tell("raised", raised());
    await eventually("it was refused", async () => (await jobs()).some(({ attempts }) => attempts === 1));
    await passes(59 * SECOND_MS);
    expect(smtp.asked).to.equal(1);
    await passes(2 * SECOND_MS);
    expect(smtp.received).to.have.length(2);
  });

  it("wait while a password is wrong, and say so", async () => {
    const smtp = await listen({ password: "right" });
    start([email({ host: "127.0.0.1", port: smtp.port, user: "sluice", password: "wrong" })]);
    await people.tell("raised", raised());
    const [job] = await eventually("it was tried", async () => {
      const found = await jobs();
      return found[0]?.attempts === 1 && found;
    });
    expect(job?.lastError).to.match(/refuses the user or the password: 535 5\.7\.8/);
    expect(job?.lastError).not.to.include("wrong");
  });

  it("are given up after a day, with the reason", async () => {
    start([email({ host: "127.0.0.1", port: await freePort() })]);
    await people.tell("raised", raised());
    await passes(25 * 60 * MINUTE_MS);
    expect(await outbox.size()).to.equal(0);
    expect((await outbox.givenUp())[0]?.reason).to.match(/cannot be reached .*ECONNREFUSED/);
  });

  it("get over a server that never says a word", async () => {
    const silent = await silentServer();
    start([email({ host: "127.0.0.1", port: silent.port }, undefined, IMPATIENT)]);
    await people.tell("raised", raised());
    const [job] = await eventually("it was tried", async () => {
      const found = await jobs();
      return found[0]?.attempts === 1 && found;
    });
    expect(job?.lastError).to.match(/does not answer$/);
    await silent.stop();
    const smtp = await listen({ port: silent.port });
    await passes(SECOND_MS * 2);
    expect(smtp.received).to.have.length(1);
  });

  it("survive an hour without a mail server and restarts of the monitor: none is lost, none doubled", async () => {
    const port = await freePort();
    const senders = [email({ host: "127.0.0.1", port })];
    start(senders);
    await people.tell("raised", raised());
    await passes(20 * MINUTE_MS);
    await restart(senders);
    // Killed before it was written down that this was told.
    await people.tell("raised", raised());
    await passes(20 * MINUTE_MS);
    await people.tell("resolved", resolved());
    await passes(20 * MINUTE_MS);
    await restart(senders);
    expect(await outbox.size()).to.equal(2);
    const smtp = await listen({ port });
    await passes(2 * 60 * MINUTE_MS);
    expect(await outbox.size()).to.equal(0);
    expect(ids(smtp).sort()).to.deep.equal(["<3f2a9c1d.raised@sluice>", "<3f2a9c1d.resolved@sluice>"]);
    for (const { raw } of smtp.received)
      expect(leaves(parseMail(raw))[0]?.content.toString()).to.match(/^Late +This message is from /m);
    expect(await outbox.givenUp()).to.deep.equal([]);
  });

  it("go to nobody who was taken out of the settings meanwhile", async () => {
    const smtp = await listen();
    const smtpSettings = { host: "127.0.0.1", port: smtp.port };
    make([email(smtpSettings, ["ops@example.com", "gone@example.com"])]);
    await people.tell("raised", raised());
    start([email(smtpSettings)]);
    await allDelivered();
    expect(smtp.received.map(({ to }) => to)).to.deep.equal([["ops@example.com"]]);
  });

  it("are posted to a webhook, signed, and to Slack, in a line", async () => {
    const [hook, slack] = [await HttpReceiver.start(), await HttpReceiver.start()];
    open.push(hook, slack);
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    start([
      new WebhookSender({ url: hook.url("/x"), secret }, clock, LOOPBACK),
      new SlackSender({ url: slack.url("/services/secret") }, LOOPBACK),
    ]);
    const alert = raised();
    await redis.hset(keys.monitorAlerts, alert.id, JSON.stringify(alert));
    await people.tell("raised", alert);
    await people.tell("resolved", resolved());
    await allDelivered();
    const posted = hook.received.map(({ body, headers }) =>
      new Webhook(secret).verify(body, headers as Record<string, string>),
    ) as { type: string; data: object }[];
    expect(posted.map(({ type }) => type)).to.deep.equal(["alert.raised", "alert.resolved"]);
    expect(posted[0]?.data).to.include({ alert: "3f2a9c1d", host: "web-1", rule: "cpu", value: 87 });
    expect(hook.received.map(({ headers }) => headers["webhook-id"])).to.deep.equal([
      "3f2a9c1d.raised",
      "3f2a9c1d.resolved",
    ]);
    expect(slack.received.map(({ body }) => body)).to.deep.equal([
      '{"text":"web-1: CPU 87 % (above 50 % for 30 s). To stop the reminders: `sluice alerts ack 3f2a9c1d`"}',
      '{"text":"resolved: web-1: CPU 3 % (was above 50 % for 2 min)."}',
    ]);
  });

  const raised = (): AlertRecord => anAlert({ raisedAt: clock.now() });
  const resolved = (): AlertRecord => {
    const resolvedAt = clock.now();
    return anAlert({ phase: "resolved", raisedAt: resolvedAt - 2 * MINUTE_MS, resolvedAt, value: 3 });
  };

  async function listen(options: Parameters<typeof SmtpReceiver.start>[0] = {}): Promise<SmtpReceiver> {
    const smtp = await SmtpReceiver.start(options);
    open.push(smtp);
    return smtp;
  }

  function email(smtp: EmailSettings["smtp"], to = ["ops@example.com"], timeouts = PATIENT): Sender {
    return new EmailSender({ smtp, from: "sluice@example.com", to }, "http://127.0.0.1:8081", timeouts);
  }

  function make(senders: readonly Sender[]): void {
    outbox = new Outbox(redis, ALERT_OUTBOX, { clock, log: silentLog, random: () => 0.5 });
    people = new TellPeople({
      senders,
      outbox,
      sent: new SentNotices(redis),
      rules,
      series: new SampleSeries(redis),
      hosts: new HostRecords(redis),
      alerts: new AlertRecords(redis),
      clock,
    });
  }

  function run(): void {
    loop = outbox.start(people.handlers());
  }

  function start(senders: readonly Sender[]): void {
    make(senders);
    run();
  }

  async function restart(senders: readonly Sender[]): Promise<void> {
    await loop?.stop();
    start(senders);
  }

  async function jobs(): Promise<OutboxJob[]> {
    const texts = await redis.hvals(keys.outbox(ALERT_OUTBOX).jobs);
    return texts.map((text) => outboxJobSchema.parse(JSON.parse(text)));
  }

  async function allDelivered(): Promise<void> {
    await eventually("nothing waits", async () => (await outbox.size()) === 0);
  }

  /** Time goes on to one try after the other; each is waited for. */
  async function passes(ms: number): Promise<void> {
    const until = clock.now() + ms;
    const { lanes, leases } = keys.outbox(ALERT_OUTBOX);
    for (;;) {
      // Nothing is due, and nothing under way, at one moment: a lane that is worked on has the time when its lease ends.
      const next = await eventually("what is due was tried", async () => {
        const [[, first] = [], [, held] = []] =
          (await redis.multi().zrange(lanes, "0", "0", "WITHSCORES").hlen(leases).exec()) ?? [];
        const [, score] = first as string[];
        const isIdle = held === 0;
        const at = score === undefined ? Infinity : Number(score);
        return isIdle && at > clock.now() && at;
      });
      if (next > until) break;
      clock.advance(next - clock.now());
    }
    clock.advance(until - clock.now());
  }
});

function ids({ received }: SmtpReceiver): (string | undefined)[] {
  return received.map(({ raw }) => parseMail(raw).headers["message-id"]);
}

function subjects({ received }: SmtpReceiver): (string | undefined)[] {
  return received.map(({ raw }) => parseMail(raw).headers["subject"]);
}
