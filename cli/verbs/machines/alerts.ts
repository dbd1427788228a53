import type { Command } from "commander";
import {
  alertsSummarySchema,
  alertSummarySchema,
  type AlertsSummary,
  type AlertSummary,
  type SilenceRequest,
} from "../../../core/api/machines/alerts.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { hasNoRecipients } from "./has-no-recipients.js";
import { parseCount } from "../arguments/parse-count.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";
import { utcTime } from "../../show/utc-time.js";

const LAST_PAST = 10;
const LAST_UNDELIVERED = 3;

/** `sluice alerts [ack ID | silence ID | test]` */
export function alertsVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => list(await context(), options));
  command
    .command("ack")
    .description("acknowledge an alert: stop its reminders")
    .argument("<id>")
    .action(async (id: string) => acknowledge(await context(), id));
  command
    .command("silence")
    .description("stop messages about this rule on this host for a while")
    .argument("<id>")
    .option("--minutes <count>", "for how long", parseCount, 60)
    .action(async (id: string, { minutes }: { minutes: number }) => silence(await context(), id, minutes));
  command
    .command("test")
    .description("send a test alert to all recipients, and show the results")
    .action(async () => {
      const { testAlerts } = await import("./test-alerts.js");
      await testAlerts(await context());
    });
}

async function list(context: Context, options: Format): Promise<void> {
  const answer = await new Client(context).call("GET", apiPath("alerts"), alertsSummarySchema);
  show(context, options, answer, alertLines);
  if (!options.json && hasNoRecipients(context.settings.monitor))
    context.print("\nNobody is notified of alerts: docs/alert-recipients.md shows how to get them by mail.");
}

async function acknowledge(context: Context, id: string): Promise<void> {
  const { text } = await change(context, id, "ack", {});
  context.print(`Acknowledged, no more reminders: ${text}`);
}

async function silence(context: Context, id: string, minutes: number): Promise<void> {
  const { rule, host } = await change(context, id, "silence", { minutes } satisfies SilenceRequest);
  context.print(
    `Messages about ${rule} on ${host} are silenced for ${minutes} minutes. The rule's other actions continue.`,
  );
}

async function change(context: Context, id: string, verb: string, body: object): Promise<AlertSummary> {
  return new Client(context).call("POST", apiPath("alerts", id, verb), alertSummarySchema, body);
}

function alertLines({ lasting, past, drain, undelivered }: AlertsSummary): string[] {
  const lines =
    lasting.length === 0
      ? ["No active alerts."]
      : table(
          ["id", "since (UTC)", "rule", "what", ""],
          lasting.map((alert) => [...cells(alert), noteOf(alert)]),
        );
  if (drain !== null)
    lines.push(
      "",
      `No canary has received visitors since ${utcTime(drain.since)} UTC (${drain.who}): ${drain.why}`,
    );
  if (past.length > 0) {
    const rows = past.slice(0, LAST_PAST).map((alert) => [...cells(alert), utcTime(alert.resolvedAt ?? "")]);
    lines.push("", ...table(["id", "raised (UTC)", "rule", "what", "resolved (UTC)"], rows));
  }
  if (undelivered.length > 0) {
    const rows = undelivered
      .slice(0, LAST_UNDELIVERED)
      .map(({ alert, turn, to, at, reason }) => [alert, `${turn}, to ${to}`, utcTime(at), reason]);
    lines.push("", ...table(["id", "not delivered", "given up (UTC)", "why"], rows));
  }
  return lines;
}

function cells({ id, raisedAt, rule, text }: AlertSummary): string[] {
  return [id, utcTime(raisedAt), rule, text];
}

function noteOf({ acknowledgedBy, silencedUntil }: AlertSummary): string {
  return [
    ...(acknowledgedBy === null ? [] : [`acknowledged by ${acknowledgedBy}`]),
    ...(silencedUntil === null ? [] : [`silenced until ${utcTime(silencedUntil)}`]),
  ].join(", ");
}
