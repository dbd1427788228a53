import type { Command } from "commander";
import { servingReleaseSchema, type RollbackRequest } from "../../../core/api/apps/releases.js";
import { workLineSchema } from "../../../core/api/work.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";

/** `sluice rollback APP [vN]` */
export function rollbackVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .argument("[release]", "for example v41")
    .action(async (app: string, release: string | undefined) => rollback(await context(), app, release));
}

async function rollback(context: Context, app: string, release: string | undefined): Promise<void> {
  const body: RollbackRequest = release === undefined ? {} : { release };
  await new Client(context).stream(
    "POST",
    apiPath("apps", app, "rollback"),
    { line: workLineSchema, done: servingReleaseSchema },
    ({ line }) => context.print(line),
    body,
  );
}
