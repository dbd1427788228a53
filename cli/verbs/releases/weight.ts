import { InvalidArgumentError, type Command } from "commander";
import { weightSchema, type WeightRequest } from "../../../core/api/apps/canary.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { pendingLines } from "../../show/pending-lines.js";

/** `sluice weight APP PERCENT` */
export function weightVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .argument("<percent>", "0 to 100", parsePercent)
    .action(async (app: string, percent: number) => weight(await context(), app, percent));
}

async function weight(context: Context, app: string, percent: number): Promise<void> {
  const path = apiPath("apps", app, "weight");
  const body: WeightRequest = { percent };
  const { alert, pending } = await new Client(context).call("PUT", path, weightSchema, body);
  const when = alert ? ", once the alert is over (sluice alerts)" : "";
  context.print(
    percent === 0
      ? `The canary of ${app} gets only visitors who choose it with the header.`
      : `${percent} % of the new visitors of ${app} go to the canary${when}.`,
  );
  for (const line of pendingLines(pending)) context.print(line);
}

function parsePercent(text: string): number {
  if (!/^\d{1,3}(?:\.\d{1,2})?$/.test(text) || Number(text) > 100)
    throw new InvalidArgumentError("It must be a number from 0 to 100, with at most two decimals.");
  return Number(text);
}
