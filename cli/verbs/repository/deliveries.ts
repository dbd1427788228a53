import type { Command } from "commander";
import {
  deliveriesSchema,
  replayedDeliverySchema,
  type DeliveryAnswer,
} from "../../../core/api/apps/deliveries.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";
import { utcTime } from "../../show/utc-time.js";

/** `sluice deliveries APP`: what the forge delivered, and the results. */
export function deliveriesVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .option("--replay <number>", "replay one delivery")
    .option("--json", "as JSON")
    .action(async (app: string, { replay, json }: DeliveriesOptions) =>
      replay === undefined ? list(await context(), app, { json }) : doAgain(await context(), app, replay),
    );
}

interface DeliveriesOptions extends Format {
  readonly replay?: string;
}

async function list(context: Context, app: string, options: Format): Promise<void> {
  const path = apiPath("apps", app, "deliveries");
  show(context, options, await new Client(context).call("GET", path, deliveriesSchema), deliveryLines);
}

async function doAgain(context: Context, app: string, replay: string): Promise<void> {
  const path = apiPath("apps", app, "deliveries", replay, "replay");
  const { number } = await new Client(context).call("POST", path, replayedDeliverySchema);
  context.print(
    `Delivery ${replay} was replayed as ${number}: \`sluice deliveries ${app}\` shows the result.`,
  );
}

function deliveryLines(answer: readonly DeliveryAnswer[]): string[] {
  if (answer.length === 0) return ["No delivery yet."];
  const rows = answer.map(({ number, at, from, by, event, answer: status, ...rest }) => [
    number === null ? "-" : String(number),
    utcTime(at),
    from,
    by,
    event,
    String(status),
    outcomeText(rest),
  ]);
  return table(["number", "received (UTC)", "from", "by", "event", "answer", "result"], rows);
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
