import { expect } from "chai";
import { createTransport } from "nodemailer";
import { PNG } from "pngjs";
import type { AlertNotice } from "../../../../../core/records/alerts/alert-notice.js";
import { mailOf, type MailFrame } from "../../../../../monitor/notices/mail/mail.js";
import { aNotice, anAlert, RAISED_AT, someFacts } from "../../../../support/fakes/a-notice.js";
import { leaves, parseMail, type MailPart } from "../../../../support/network/parse-mail.js";

const FRAME: MailFrame = {
  from: "Sluice <sluice@example.com>",
  to: ["ops@example.com", "boss@example.com"],
  recipient: "ops@example.com",
  pagesUrl: "http://apps.example.com:8081",
};

describe("the mail of a notice", () => {
  it("has a text, and beside it HTML with the chart in it", async () => {
    const mail = await composed(aNotice());
    expect(mail.type).to.equal("multipart/alternative");
    expect(mail.parts.map(({ type }) => type)).to.deep.equal(["text/plain", "multipart/related"]);
    const [text, html, chart] = leaves(mail);
    expect(text?.content.toString()).to.match(/^web-1: CPU 87 %\r?\nabove 50 % for 30 s\r?\n/);
    expect(html?.type).to.equal("text/html");
    const [, cid] = /<img src="cid:([^"]+)"/.exec(html?.content.toString() ?? "") ?? [];
    expect(chart?.headers["content-id"]).to.equal(`<${cid ?? ""}>`);
    expect(chart?.headers["content-disposition"]).to.match(/^inline/);
    expect(PNG.sync.read(chart?.content ?? Buffer.alloc(0)).width).to.equal(1200);
  });

  it("says in both parts the figure, the rule, since when, the machine, what to do, and where Sluice is", async () => {
    for (const part of (await both(aNotice({ measures: ["drain-canary"] }))).map(plain))
      for (const said of [
        "CPU 87 %",
        "above 50 % for 30 s",
        "45 % or less",
        "2026-01-31 10:31:05 UTC",
        "4 × Example 9000, 7.8 GB, Debian 12, KVM",
        "sends no visitors to any canary",
        "sluice alerts ack 3f2a9c1d",
        "sluice alerts silence 3f2a9c1d --minutes 60",
        "http://apps.example.com:8081",
        "between 4.3 % and 87 %",
      ])
        expect(part).to.include(said);
  });

  it("is dated when it turned, and has the same id at every try", async () => {
    const first = (await composed(aNotice())).headers;
    expect(first["message-id"]).to.equal("<3f2a9c1d.raised@sluice>");
    expect(Date.parse(first["date"] ?? "")).to.equal(RAISED_AT);
    expect(first["subject"]).to.equal("[sluice] web-1: CPU 87 % (above 50 % for 30 s)");
    expect(first["to"]).to.equal("ops@example.com, boss@example.com");
    expect(first["auto-submitted"]).to.equal("auto-generated");
    expect((await composed(aNotice())).headers["message-id"]).to.equal(first["message-id"]);
  });

  it("stands in one thread with the one that the alert began with", async () => {
    const { headers } = await composed(aNotice({ id: "3f2a9c1d.resolved", turn: "resolved" }));
    expect(headers["message-id"]).to.equal("<3f2a9c1d.resolved@sluice>");
    expect(headers["in-reply-to"]).to.equal("<3f2a9c1d.raised@sluice>");
    expect(headers["references"]).to.equal("<3f2a9c1d.raised@sluice>");
    expect((await composed(aNotice())).headers).not.to.have.any.keys("in-reply-to", "references");
  });

  it("does without a chart where there are no figures", async () => {
    const mail = parseMail(await raw(mailOf(aNotice(), someFacts({ points: [] }), FRAME)));
    expect(leaves(mail).map(({ type }) => type)).to.deep.equal(["text/plain", "text/html"]);
    expect(leaves(mail)[1]?.content.toString()).not.to.include("<img");
  });

  it("fetches nothing, and takes no name for HTML or a header", async () => {
    const host = `<script src="http://x">&'"\r\nBcc: all@example.com`;
    const mail = await composed(aNotice({ alert: anAlert({ host }) }));
    const html = leaves(mail)[1]?.content.toString() ?? "";
    expect(html).to.include("&lt;script src=&quot;http://x&quot;&gt;&amp;&#39;&quot;");
    expect(html).not.to.match(/<script|<link|src="(?!cid:)|url\(|@import/);
    expect(mail.headers).not.to.have.property("bcc");
  });
});

async function composed(notice: AlertNotice): Promise<MailPart> {
  return parseMail(await raw(mailOf(notice, someFacts(), FRAME)));
}

async function both(notice: AlertNotice): Promise<string[]> {
  const [text, html] = leaves(await composed(notice));
  return [text, html].map((part) => part?.content.toString() ?? "");
}

function plain(text: string): string {
  return text.replace(/<style.*<\/style>/s, "").replaceAll("&nbsp;", " ");
}

async function raw(mail: object): Promise<string> {
  const { message } = await createTransport({ streamTransport: true, buffer: true }).sendMail(mail);
  if (!Buffer.isBuffer(message)) throw new Error("a buffer was asked for");
  return message.toString("latin1");
}
