import type { Command } from "commander";
import { servingReleaseSchema } from "../../../core/api/apps/releases.js";
import { workLineSchema } from "../../../core/api/work.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";

/** `sluice promote APP` */
export function promoteVerb(command: Command, context: () => Promise<Context>): void {
  command.argument("<app>").action(async (app: string) => promote(await context(), app));
}

async function promote(context: Context, app: string): Promise<void> {
  await new Client(context).stream(
    "POST",
    apiPath("apps", app, "promote"),
    { line: workLineSchema, done: servingReleaseSchema },
    ({ line }) => context.print(line),
    {},
  );
}
