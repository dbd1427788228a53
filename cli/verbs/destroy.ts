import type { Command } from "commander";
import { apiPath } from "../api-path.js";
import { Client } from "../client.js";
import type { Context } from "../context.js";

/** `sluice destroy APP --yes` */
export function destroyVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .requiredOption("--yes", "really")
    .action(async (app: string) => destroy(await context(), app));
}

async function destroy(context: Context, app: string): Promise<void> {
  await new Client(context).call("DELETE", apiPath("apps", app));
  context.print(`${app} is gone, with its releases and records.`);
}
