import type { AlertsSummary, AlertSummary } from "../server/api/alerts-api.js";
import { Client } from "./client.js";
import type { Context } from "./context.js";
import { table } from "./table.js";

const LAST_PAST = 10;

/** `sluice alerts` */
export async function alerts(context: Context, { json }: { json?: boolean }): Promise<void> {
  // The shape is the server's own: both come from one build.
  const answer = (await new Client(context).call("GET", "/api/alerts")) as AlertsSummary;
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else for (const line of alertLines(answer)) context.print(line);
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
export function alertLines({ lasting, past, drain }: AlertsSummary): string[] {
  const lines =
    lasting.length === 0
      ? ["All is well."]
      : table(
          ["id", "since (UTC)", "what", ""],
          lasting.map((alert) => [...cells(alert), noteOf(alert)]),
        );
  if (drain !== null)
    lines.push("", `No canary gets visitors since ${time(drain.since)} UTC (${drain.who}): ${drain.why}`);
  if (past.length === 0) return lines;
  const rows = past.slice(0, LAST_PAST).map((alert) => [...cells(alert), time(alert.resolvedAt ?? "")]);
  return [...lines, "", ...table(["id", "was raised (UTC)", "what", "was resolved"], rows)];
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
