import type { Command } from "commander";
import { appsSchema } from "../../../core/api/apps/apps.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { appLines } from "../../show/app-lines.js";
import { show, type Format } from "../../show/show.js";

/** `sluice apps` */
export function appsVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => apps(await context(), options));
}

async function apps(context: Context, options: Format): Promise<void> {
  const answer = await new Client(context).call("GET", apiPath("apps"), appsSchema);
  show(context, options, answer, appLines);
}
