import type { DeliveryAnswer, WebhookAnswer } from "../server/api/webhook-api.js";
import { Client } from "./client.js";
import type { Context } from "./context.js";
import { table } from "./table.js";

export interface WebhookOptions {
  readonly source?: string;
  readonly branches?: string[];
  readonly statusToken?: string;
  readonly json?: boolean;
}

/** `sluice webhook APP`: what to paste into the Git host. */
export async function webhook(
  context: Context,
  app: string,
  { source, branches, statusToken, json }: WebhookOptions,
): Promise<void> {
  const path = `/api/apps/${encodeURIComponent(app)}/webhook`;
  const answer = (await new Client(context).call("PUT", path, {
    source,
    branches,
    statusToken,
  })) as WebhookAnswer;
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else for (const line of webhookLines(answer)) context.print(line);
}

export interface DeliveriesOptions {
  readonly replay?: string;
  readonly json?: boolean;
}

/** `sluice deliveries APP`: what came, and what came of it. */
export async function deliveries(
  context: Context,
  app: string,
  { replay, json }: DeliveriesOptions,
): Promise<void> {
  const path = `/api/apps/${encodeURIComponent(app)}/deliveries`;
  const client = new Client(context);
  if (replay !== undefined) {
    const { number } = (await client.call("POST", `${path}/${encodeURIComponent(replay)}/replay`)) as {
      number: number;
    };
    context.print(
      `Delivery ${replay} is done again, as ${number}: \`sluice deliveries ${app}\` shows what comes of it.`,
    );
    return;
  }
  const answer = (await client.call("GET", path)) as DeliveryAnswer[];
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else for (const line of deliveryLines(answer)) context.print(line);
}

function webhookLines({
  app,
  url,
  secret,
  deployKey,
  source,
  branches,
  reportsBack,
  problem,
}: WebhookAnswer): string[] {
  return [
    `Webhook of ${app}, to paste into the Git host (push events, JSON):`,
    `  url         ${url}`,
    `  secret      ${secret}`,
    "Deploy key, to add to the repository (reading is enough):",
    `  ${deployKey}`,
    source === null
      ? `No source yet: sluice webhook ${app} --source URL   (an https, ssh, git or file address of the repository)`
      : `Source: ${source}${branches.length === 0 ? "" : `, branches ${branches.join(", ")}`}`,
    reportsBack
      ? "The host is told what becomes of each commit."
      : `The host is told nothing: sluice webhook ${app} --status-token TOKEN   (may write commit statuses)`,
    ...(problem === undefined ? [] : [` !     ${problem}`, " !     It is asked again every few minutes."]),
  ];
}

function deliveryLines(answer: readonly DeliveryAnswer[]): string[] {
  if (answer.length === 0) return ["No delivery yet."];
  const rows = answer.map(({ number, at, from, by, event, answer: status, ...rest }) => [
    number === null ? "-" : String(number),
    at.slice(0, 19).replace("T", " "),
    from,
    by,
    event,
    String(status),
    outcomeText(rest),
  ]);
  return table(["number", "came (UTC)", "from", "by", "event", "answer", "what came of it"], rows);
}

function outcomeText({
  state,
  results,
  updates,
  reason,
}: Pick<DeliveryAnswer, "state" | "results" | "updates" | "reason">): string {
  const done = results.map(({ branch, outcome, release, reason: why }) =>
    [branch, outcome, release, why === undefined ? undefined : `(${why})`]
      .filter((part) => part !== undefined)
      .join(" "),
  );
  if (done.length > 0) return done.join("; ");
  if (reason !== undefined) return reason;
  return state === "done" ? "nothing" : `${updates.map(({ branch }) => branch).join(", ")} ${state}`;
}
