import type { Command } from "commander";
import { canarySummarySchema } from "../../../core/api/apps/canary.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { canaryLines } from "../../show/canary-lines.js";
import { show, type Format } from "../../show/show.js";

/** `sluice canary APP` */
export function canaryVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .option("--json", "as JSON")
    .action(async (app: string, options: Format) => canary(await context(), app, options));
}

async function canary(context: Context, app: string, options: Format): Promise<void> {
  const answer = await new Client(context).call("GET", apiPath("apps", app, "canary"), canarySummarySchema);
  show(context, options, answer, canaryLines);
}
