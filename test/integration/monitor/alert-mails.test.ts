import { expect } from "chai";
import { SampleSeries } from "../../../core/records/hosts/sample-series.js";
import { keys } from "../../../core/redis/keys.js";
import type { AlertsSummary } from "../../../core/api/machines/alerts.js";
import { eventually } from "../../support/eventually.js";
import { leaves, parseMail } from "../../support/network/parse-mail.js";
import { silentServer, SmtpReceiver } from "../../support/network/smtp-receiver.js";
import { TestSluice } from "../../support/running/test-sluice.js";

const rule = { name: "always", metric: "memory", above: 0, forSeconds: 0, hysteresis: 0 };

describe("mails of alerts of a running Sluice", function () {
  this.timeout(120_000);
  let sluice: TestSluice | undefined;
  afterEach(async () => {
    await sluice?.dispose();
    sluice = undefined;
  });

  const settings = (port: number, smtp: object = {}, to = ["ops@example.com"]): object => ({
    monitor: {
      host: "web-1",
      email: { smtp: { host: "127.0.0.1", port, ...smtp }, from: "sluice@example.com", to },
      rules: [rule, { ...rule, name: "drain", actions: ["drain-canary"] }],
    },
  });

  it("arrive once, also over a crash, with the machine and its chart", async () => {
    const smtp = await SmtpReceiver.start();
    sluice = await TestSluice.start({ settings: settings(smtp.port) });
    try {
      await eventually("a mail", () => smtp.received.length > 0);
      await sluice.kill();
      await sluice.up();
      const own = await sluice.redis();
      const { redis } = own;
      const seen = await new SampleSeries(redis).newest(["web-1"]);
      await eventually("it samples again", async () => {
        const now = await new SampleSeries(redis).newest(["web-1"]);
        return (now.get("web-1")?.at ?? 0) > (seen.get("web-1")?.at ?? 0) + 2000;
      });
      own.close();
      expect(smtp.received).to.have.length(1);
      const mail = parseMail(smtp.received[0]?.raw ?? "");
      const [text, html, chart] = leaves(mail);
      expect(mail.headers["subject"]).to.match(/^\[sluice\] web-1: Memory [\d.]+ % \(above 0 %\)$/);
      expect(text?.content.toString()).to.match(
        /^Host +web-1 \(proxy, redis, production, staging\): \d+ × /m,
      );
      expect(text?.content.toString()).to.include("sends no visitors to any canary");
      expect(html?.content.toString()).to.include(`http://127.0.0.1:${sluice.controlPort}`);
      expect(chart?.type).to.equal("image/png");
      const alert = (await sluice.read<AlertsSummary>("alerts")).lasting.find(
        ({ rule }) => rule === "always",
      );
      expect(mail.headers["message-id"]).to.match(/^<[0-9a-f]{8}\.raised@sluice>$/);
      expect(text?.content.toString()).to.include(`sluice alerts ack ${String(alert?.id)}`);
    } finally {
      await smtp.stop();
    }
  });

  it("hold up neither samples nor the drain while the mail server says nothing", async () => {
    const silent = await silentServer();
    sluice = await TestSluice.start({ settings: settings(silent.port) });
    const own = await sluice.redis();
    const { redis } = own;
    try {
      const key = keys.sampleSeconds("web-1");
      await eventually(
        "the mail is under way",
        async () => (await redis.hlen(keys.outbox("alerts").leases)) === 1,
      );
      expect(
        await eventually("the drain", async () => redis.get(keys.alert).then((alert) => alert ?? false)),
      ).to.equal("yes");
      const lease = async (): Promise<Record<string, string>> => redis.hgetall(keys.outbox("alerts").leases);
      // The greeting is waited for longer than four samples take, so some try sees them all.
      await eventually(
        "four more samples within one try",
        async () => {
          const [before, tried] = [await redis.xlen(key), await lease()];
          await eventually("four more samples", async () => (await redis.xlen(key)) >= before + 4);
          expect(tried).not.to.deep.equal({});
          expect(await lease()).to.deep.equal(tried);
          return true;
        },
        60_000,
      );
      expect(await redis.get(keys.alert)).to.equal("yes");
    } finally {
      own.close();
      await silent.stop();
    }
  });

  it("that were given up are shown with the reason", async () => {
    const smtp = await SmtpReceiver.start();
    smtp.refuse = () => ({ code: 550, text: "5.1.1 no such user" });
    sluice = await TestSluice.start({ settings: settings(smtp.port) });
    try {
      const { undelivered } = await eventually("it is given up", async () => {
        const found = await sluice?.read<AlertsSummary>("alerts");
        return found !== undefined && found.undelivered.length > 0 && found;
      });
      expect(undelivered[0]).to.include({ sender: "email", to: "ops@example.com", turn: "raised" });
      const { stdout } = await sluice.cli("alerts");
      expect(stdout).to.match(
        /raised, to ops@example\.com .*refuses the mail to .*: 550 5\.1\.1 no such user/,
      );
    } finally {
      await smtp.stop();
    }
  });

  describe("are tried by `sluice alerts test`", () => {
    it("which says who accepted it, also while nothing else runs", async () => {
      const smtp = await SmtpReceiver.start({ password: "from the environment" });
      sluice = await TestSluice.prepare({ settings: settings(smtp.port, { user: "sluice" }) });
      Object.defineProperty(sluice, "env", {
        value: { ...sluice.env, SLUICE_SMTP_PASSWORD: "from the environment" },
      });
      const { status, stdout } = await sluice.cli("alerts", "test");
      await smtp.stop();
      expect(stdout).to.equal(`-----> Mail, by 127.0.0.1:${smtp.port}\n       ops@example.com: accepted`);
      expect(status).to.equal(0);
      expect(parseMail(smtp.received[0]?.raw ?? "").headers["subject"]).to.match(/^\[sluice\] test: web-1: /);
    });

    it("which says what the server said when it refuses, or that there is none", async () => {
      const smtp = await SmtpReceiver.start();
      smtp.refuse = (to) => (to.startsWith("no") ? { code: 550, text: "5.1.1 no such user" } : undefined);
      const to = ["no@example.com", "ops@example.com"];
      sluice = await TestSluice.prepare({ settings: settings(smtp.port, {}, to) });
      const refused = await sluice.cli("alerts", "test");
      await smtp.stop();
      expect(refused.status).to.equal(1);
      expect(refused.stdout).to.include("no@example.com: failed").and.include("ops@example.com: accepted");
      expect(refused.stderr).to.include(
        `127.0.0.1:${smtp.port} refuses the mail to no@example.com: 550 5.1.1 no such user`,
      );
      const gone = await sluice.cli("alerts", "test");
      expect(gone.stderr).to.match(/127\.0\.0\.1:\d+ cannot be reached \(.*ECONNREFUSED/);
    });

    it("which says that nobody is notified when nobody is", async () => {
      sluice = await TestSluice.prepare();
      const { status, stderr } = await sluice.cli("alerts", "test");
      expect(status).to.equal(1);
      expect(stderr).to.include("Nobody is notified of alerts").and.include("sluice.yml");
    });
  });
});
