import { expect } from "chai";
import { ruleSchema } from "../../../../core/settings/monitor-settings.js";
import type { AlertNotice } from "../../../../core/records/alerts/alert-notice.js";
import type { AlertRecord, AlertTurn } from "../../../../core/records/alerts/alert-record.js";
import type { NoticeFacts } from "../../../../monitor/notices/notice-facts.js";
import { noticeOf } from "../../../../monitor/notices/notice-of.js";
import { wordsOf } from "../../../../monitor/notices/words.js";
import { aNotice, anAlert, RAISED_AT, someFacts } from "../../../support/fakes/a-notice.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const resolvedAt = RAISED_AT + 4 * MINUTE_MS;

const resolved = aNotice({
  id: "3f2a9c1d.resolved",
  turn: "resolved",
  at: resolvedAt,
  alert: anAlert({ phase: "resolved", resolvedAt, value: 11.24, worst: 94 }),
});
const reminded = aNotice({ turn: "reminded", at: RAISED_AT + 4 * HOUR_MS });

describe("the words of a notice", () => {
  it("say in a line who, what, how much and for how long", () => {
    const lateFacts = someFacts({ points: [{ at: RAISED_AT + 4 * HOUR_MS, value: 63.5 }] });
    expect(line(aNotice())).to.equal("web-1: CPU 87 % (above 50 % for 30 s)");
    expect(line(reminded, lateFacts)).to.equal("reminder: web-1: CPU 63.5 % (above 50 % for 4 h)");
    expect(line(resolved)).to.equal("resolved: web-1: CPU 11.2 % (was above 50 % for 4 min)");
    expect(line(aNotice({ test: true }))).to.equal("test: web-1: CPU 87 % (above 50 % for 30 s)");
  });

  it("have the unit that is easily read", () => {
    const of = (metric: string, above: number, value: number, forSeconds: number): string =>
      line(
        aNotice({
          rule: ruleSchema.parse({ name: "a", metric, above, forSeconds }),
          alert: anAlert({ value }),
        }),
      );
    expect(of("memoryUsedMegabytes", 20_480, 22_000, 0)).to.equal("web-1: Memory 21.5 GB (above 20 GB)");
    expect(of("load1", 3, 3.14159, 90)).to.equal("web-1: Load 3.14 (above 3 for 90 s)");
    expect(of("networkSentBytes", 5e4, 2.25e6, 600)).to.equal(
      "web-1: Network, sent 2.3 MB/s (above 50 kB/s for 10 min)",
    );
  });

  it("say of a silent machine since when nothing was heard", () => {
    const silent = (turn: AlertTurn, rest: Partial<AlertRecord>): string =>
      line(noticeOf(turn, anAlert({ rule: "silent", ...rest }), [], []));
    expect(silent("raised", { value: 15 })).to.equal("web-1: silent for 15 s");
    expect(silent("resolved", { value: 0, phase: "resolved", resolvedAt })).to.equal(
      "resolved: web-1: reports again (was silent for 4 min)",
    );
  });

  it("tell since when, by which rule, on what machine, and how to see to it", () => {
    const { facts, commands } = wordsOf(aNotice(), someFacts());
    expect(facts).to.deep.equal([
      ["Raised", "2026-01-31 10:31:05 UTC"],
      ["Rule", "cpu: CPU above 50 % for 30 s; resolved once it was 45 % or less for as long"],
      ["Host", "web-1 (proxy, production): 4 × Example 9000, 7.8 GB, Debian 12, KVM"],
    ]);
    expect(commands.map(([, command]) => command)).to.deep.equal([
      "sluice alerts ack 3f2a9c1d",
      "sluice alerts silence 3f2a9c1d --minutes 60",
    ]);
    expect(fact(aNotice(), "Host", someFacts({ host: undefined }))).to.equal("web-1");
  });

  it("tell when it was over and how bad it got; there is nothing to do any more", () => {
    expect(fact(resolved, "Resolved")).to.equal("2026-01-31 10:35:05 UTC");
    expect(fact(resolved, "Worst")).to.equal("94 %");
    expect(wordsOf(resolved, someFacts()).commands).to.deep.equal([]);
  });

  it("tell what Sluice does because of the machine, by whichever rule", () => {
    const draining = anAlert({ id: "b", rule: "proxy-cpu", actions: ["drain-canary"] });
    const elsewhere = anAlert({ id: "c", host: "web-2", actions: ["scale-out"] });
    const notice = noticeOf("raised", anAlert(), [], [anAlert(), draining, elsewhere]);
    expect(fact(notice, "Sluice")).to.equal("sends no visitors to any canary while this lasts");
    const over = { ...draining, phase: "resolved" as const, resolvedAt };
    expect(fact(noticeOf("resolved", over, [], [over]), "Sluice")).to.equal(
      "sends visitors to the canaries again",
    );
    expect(fact(noticeOf("resolved", over, [], [over, { ...draining, id: "d" }]), "Sluice")).to.equal(
      "sends no visitors to any canary while this lasts",
    );
    expect(fact(aNotice(), "Sluice")).to.equal(undefined);
  });

  it("say when they are late, and that it has ended meanwhile", () => {
    expect(fact(aNotice(), "Late", someFacts({ sentAt: RAISED_AT + MINUTE_MS }))).to.equal(undefined);
    const facts = someFacts({ sentAt: RAISED_AT + HOUR_MS, isOver: true });
    expect(fact(aNotice(), "Late", facts)).to.equal(
      "This message is from 2026-01-31 10:31:05 UTC and could not be sent until 2026-01-31 11:31:05 UTC. It has ended since.",
    );
    expect(wordsOf(aNotice(), facts).commands).to.deep.equal([]);
  });

  it("stay in a line, whatever a host is called", () => {
    expect(line(aNotice({ alert: anAlert({ host: "web\r\nBcc: all@example.com" }) }))).to.match(
      /^web Bcc: all@example\.com: CPU/,
    );
  });
});

describe("a notice", () => {
  it("has the same id whenever its turn is told, and each reminder one of its own", () => {
    const id = (turn: AlertNotice["turn"], reminders = 0): string =>
      noticeOf(turn, anAlert({ reminders }), [], []).id;
    expect(id("raised")).to.equal("3f2a9c1d.raised");
    expect(id("reminded", 1)).to.equal("3f2a9c1d.reminded-1");
    expect(id("reminded", 2)).to.equal("3f2a9c1d.reminded-2");
    expect(id("resolved", 2)).to.equal("3f2a9c1d.resolved");
  });
});

function line(notice: AlertNotice, facts: NoticeFacts = someFacts()): string {
  return wordsOf(notice, facts).line;
}

function fact(notice: AlertNotice, label: string, facts: NoticeFacts = someFacts()): string | undefined {
  return wordsOf(notice, facts).facts.find(([name]) => name === label)?.[1];
}
