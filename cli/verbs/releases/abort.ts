import type { Command } from "commander";
import { abortedCanarySchema } from "../../../core/api/apps/canary.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";

/** `sluice abort APP` */
export function abortVerb(command: Command, context: () => Promise<Context>): void {
  command.argument("<app>").action(async (app: string) => abort(await context(), app));
}

async function abort(context: Context, app: string): Promise<void> {
  const path = apiPath("apps", app, "abort");
  const { release } = await new Client(context).call("POST", path, abortedCanarySchema);
  context.print(`${release} gets no more visitors; it stops when its last connection has closed.`);
}
