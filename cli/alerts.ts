import type { MonitorSettings } from "../core/monitor-settings.js";
import type { AlertsSummary, AlertSummary } from "../server/api/alerts-api.js";
import { Client } from "./client.js";
import type { Context } from "./context.js";
import { table } from "./table.js";

const LAST_PAST = 10;
const LAST_UNDELIVERED = 3;

/** `sluice alerts` */
export async function alerts(context: Context, { json }: { json?: boolean }): Promise<void> {
  // The shape is the server's own: both come from one build.
  const answer = (await new Client(context).call("GET", "/api/alerts")) as AlertsSummary;
  if (json) {
    context.print(JSON.stringify(answer, undefined, 2));
    return;
  }
  for (const line of alertLines(answer)) context.print(line);
  if (isNobodyTold(context.settings.monitor))
    context.print("\nNobody is told of them: docs/configuration.md shows how to get a mail.");
}

export function isNobodyTold({ email, webhook, slack }: MonitorSettings): boolean {
  return email === undefined && webhook === undefined && slack === undefined;
}

/** `sluice alerts ack ID` */
export async function acknowledge(context: Context, id: string): Promise<void> {
  const { text } = await change(context, id, "ack", {});
  context.print(`No reminders any more: ${text}`);
}

/** `sluice alerts silence ID` */
export async function silence(context: Context, id: string, minutes: number): Promise<void> {
  const { rule, host } = await change(context, id, "silence", { minutes });
  context.print(
    `No news of ${rule} on ${host} for ${minutes} minutes; what the rule does otherwise, it does.`,
  );
}

async function change(context: Context, id: string, verb: string, body: object): Promise<AlertSummary> {
  const path = `/api/alerts/${encodeURIComponent(id)}/${verb}`;
  return (await new Client(context).call("POST", path, body)) as AlertSummary;
}

/** Alerts for people. */
export function alertLines({ lasting, past, drain, undelivered }: AlertsSummary): string[] {
  const lines =
    lasting.length === 0
      ? ["All is well."]
      : table(
          ["id", "since (UTC)", "what", ""],
          lasting.map((alert) => [...cells(alert), noteOf(alert)]),
        );
  if (drain !== null)
    lines.push("", `No canary gets visitors since ${time(drain.since)} UTC (${drain.who}): ${drain.why}`);
  if (past.length > 0) {
    const rows = past.slice(0, LAST_PAST).map((alert) => [...cells(alert), time(alert.resolvedAt ?? "")]);
    lines.push("", ...table(["id", "was raised (UTC)", "what", "was resolved"], rows));
  }
  if (undelivered.length > 0) {
    const rows = undelivered
      .slice(0, LAST_UNDELIVERED)
      .map(({ alert, turn, to, at, reason }) => [alert, `${turn}, to ${to}`, time(at), reason]);
    lines.push("", ...table(["id", "was not delivered", "given up (UTC)", "why"], rows));
  }
  return lines;
}

function cells({ id, raisedAt, text }: AlertSummary): string[] {
  return [id, time(raisedAt), text];
}

function noteOf({ acknowledgedBy, silencedUntil }: AlertSummary): string {
  return [
    ...(acknowledgedBy === null ? [] : [`seen by ${acknowledgedBy}`]),
    ...(silencedUntil === null ? [] : [`silent until ${time(silencedUntil)}`]),
  ].join(", ");
}

function time(at: string): string {
  return at.slice(0, 19).replace("T", " ");
}
