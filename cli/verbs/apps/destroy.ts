import type { Command } from "commander";
import { destroyedAppSchema } from "../../../core/api/apps/apps.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { pendingLines } from "../../show/pending-lines.js";

/** `sluice destroy APP --yes` */
export function destroyVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .requiredOption("--yes", "confirm")
    .action(async (app: string) => destroy(await context(), app));
}

async function destroy(context: Context, app: string): Promise<void> {
  const done = await new Client(context).call("DELETE", apiPath("apps", app), destroyedAppSchema.optional());
  context.print(`${app} was destroyed, with its releases and records.`);
  if (done === undefined) return;
  context.print("Its instances stop once no proxy sends visitors to them:");
  for (const line of pendingLines(done.pending)) context.print(line);
}
