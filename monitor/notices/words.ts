import { durationText } from "../../core/duration-text.js";
import { PROVISION_RULE, type AlertAction, type Rule } from "../../core/settings/monitor-settings.js";
import type { AlertNotice } from "../../core/records/alerts/alert-notice.js";
import type { AlertTurn } from "../../core/records/alerts/alert-record.js";
import { METRIC_WORDS } from "../rules/metric-words.js";
import { figureText, timeText } from "./figure-text.js";
import { shownMetric, type NoticeFacts } from "./notice-facts.js";

/** A notice in words, for mails and lines alike. */
export interface Words {
  /** `reminder: web-1: CPU 87 % (above 50 % for 4 h)` */
  readonly line: string;
  /** `CPU 87 %` */
  readonly figure: string;
  /** `above 50 % for 30 s` */
  readonly limit: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  /** What a person can do. */
  readonly commands: readonly (readonly [what: string, command: string])[];
  /** What the chart shows, for those who cannot see it. */
  readonly chart: string;
}

const BEGINNINGS: Readonly<Record<AlertTurn, string>> = {
  raised: "",
  reminded: "reminder: ",
  resolved: "resolved: ",
};

/** A notice later than this says that it is late. */
const LATE_MS = 5 * 60_000;

export function wordsOf(notice: AlertNotice, facts: NoticeFacts): Words {
  const { turn, alert } = notice;
  const { figure, limit } = figureAndLimit(notice, facts);
  const begin = notice.test === true ? "test: " : BEGINNINGS[turn];
  return {
    line: oneLine(`${begin}${alert.host}: ${figure}${limit === "" ? "" : ` (${limit})`}`),
    figure,
    limit,
    facts: factsOf(notice, facts),
    commands:
      turn === "resolved" || facts.isOver
        ? []
        : [
            ["To stop the reminders", `sluice alerts ack ${alert.id}`],
            ["To silence it for an hour", `sluice alerts silence ${alert.id} --minutes 60`],
          ],
    chart: chartWords(notice, facts),
  };
}

function figureAndLimit(notice: AlertNotice, facts: NoticeFacts): Pick<Words, "figure" | "limit"> {
  const { turn, alert, rule } = notice;
  if (alert.rule === PROVISION_RULE)
    return { figure: turn === "resolved" ? "is as it should be, or gone" : alert.text, limit: "" };
  if (rule === undefined) return { figure: silentFigure(notice), limit: silentLimit(notice) };
  return { figure: figureNow(rule, notice, facts), limit: limitNow(rule, notice) };
}

function silentFigure({ turn, alert }: AlertNotice): string {
  return turn === "resolved" ? "reports again" : `silent for ${durationText(alert.value * 1000)}`;
}

function silentLimit({ turn, alert, at }: AlertNotice): string {
  return turn === "resolved" ? `was silent for ${durationText(at - alert.raisedAt)}` : "";
}

function figureNow(rule: Rule, { turn, alert }: AlertNotice, { points }: NoticeFacts): string {
  // While an alert lasts its record keeps the worst value only.
  const value = turn === "reminded" ? (points.at(-1)?.value ?? alert.value) : alert.value;
  return `${METRIC_WORDS[rule.metric][0]} ${figureText(rule.metric, value)}`;
}

function limitNow(rule: Rule, { turn, alert, at }: AlertNotice): string {
  const { forSeconds } = rule;
  const lastedMs = at - alert.raisedAt;
  if (turn === "resolved") return `was ${limitOf(rule)} for ${durationText(lastedMs)}`;
  const forMs = turn === "raised" ? forSeconds * 1000 : forSeconds * 1000 + lastedMs;
  return `${limitOf(rule)}${forMs === 0 ? "" : ` for ${durationText(forMs)}`}`;
}

function limitOf({ metric, above, below }: Rule): string {
  return above === undefined
    ? `below ${figureText(metric, below ?? 0)}`
    : `above ${figureText(metric, above)}`;
}

type Fact = readonly [label: string, value: string];

function factsOf(notice: AlertNotice, facts: NoticeFacts): Fact[] {
  const { turn, alert, rule, test, at } = notice;
  const found: Record<string, string | undefined> = {
    Test: test === true ? "Somebody is testing whether you receive alerts. Nothing is wrong." : undefined,
    Late: lateText(notice, facts),
    Raised: timeText(alert.raisedAt),
    Resolved: turn === "resolved" ? timeText(at) : undefined,
    Worst: rule === undefined || turn === "raised" ? undefined : figureText(rule.metric, alert.worst),
    Rule: ruleText(alert.rule, rule),
    Host: machineText(alert.host, facts),
    Sluice: doneBySluice(notice, facts),
    "Acknowledged by": alert.acknowledged?.by,
  };
  return Object.entries(found).flatMap(([label, value]): Fact[] =>
    value === undefined || value === "" ? [] : [[label, value]],
  );
}

function ruleText(name: string, rule: Rule | undefined): string {
  if (name === PROVISION_RULE) return `${name}: a host that cannot be provisioned`;
  if (rule === undefined) return `${name}: a host that sends no figures`;
  const { metric, forSeconds, above, below, hysteresis } = rule;
  const back =
    above === undefined
      ? `${figureText(metric, (below ?? 0) + hysteresis)} or more`
      : `${figureText(metric, above - hysteresis)} or less`;
  const lasting = forSeconds === 0 ? "" : ` for ${durationText(forSeconds * 1000)}`;
  const over = forSeconds === 0 ? `is ${back}` : `was ${back} for as long`;
  return `${name}: ${METRIC_WORDS[metric][0]} ${limitOf(rule)}${lasting}; resolved once it ${over}`;
}

function machineText(name: string, { host }: NoticeFacts): string {
  if (host === undefined) return name;
  const { cpus, processor, memoryMegabytes, system, virtual } = host.inventory;
  const roles = host.roles.length === 0 ? "" : ` (${host.roles.join(", ")})`;
  const parts = [
    `${cpus} × ${processor === "" ? "CPU" : processor}`,
    `${(memoryMegabytes / 1024).toFixed(1)} GB`,
    system,
    virtual,
  ];
  return `${name}${roles}: ${parts.filter((part) => part !== "").join(", ")}`;
}

const MEASURES: Readonly<Record<AlertAction, { readonly lasting: string; readonly over: string }>> = {
  notify: { lasting: "", over: "" },
  "drain-canary": {
    lasting: "sends no visitors to any canary while this lasts",
    over: "sends visitors to the canaries again",
  },
  "scale-out": { lasting: "requests more instances of production", over: "" },
};

function doneBySluice({ turn, alert, measures }: AlertNotice, { isOver }: NoticeFacts): string {
  // What Sluice did then no longer applies.
  if (isOver && turn !== "resolved") return "";
  const ended = turn === "resolved" ? alert.actions.filter((action) => !measures.includes(action)) : [];
  const parts = [
    ...measures.map((action) => MEASURES[action].lasting),
    ...ended.map((action) => MEASURES[action].over),
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function lateText({ turn, at }: AlertNotice, { sentAt, isOver }: NoticeFacts): string | undefined {
  if (sentAt - at < LATE_MS) return undefined;
  const over = isOver && turn !== "resolved" ? " It has ended since." : "";
  return `This message is from ${timeText(at)} and could not be sent until ${timeText(sentAt)}.${over}`;
}

function chartWords(notice: AlertNotice, { points }: NoticeFacts): string {
  const metric = shownMetric(notice);
  const values = points.map(({ value }) => value);
  const until = timeText(notice.at).slice(11);
  const what = `${METRIC_WORDS[metric][0]} of ${notice.alert.host}, the 15 minutes to ${until}`;
  if (values.length === 0) return `${what}: no figures`;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${what}: between ${figureText(metric, least)} and ${figureText(metric, most)}`;
}

/** For a header or a line: a host's name is what somebody wrote. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, " ").trim();
}
