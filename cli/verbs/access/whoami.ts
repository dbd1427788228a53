import type { Command } from "commander";
import { whoamiSchema } from "../../../core/api/access/whoami.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";

/** `sluice whoami` */
export function whoamiVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => whoami(await context(), options));
}

async function whoami(context: Context, options: Format): Promise<void> {
  const answer = await new Client(context).call("GET", apiPath("whoami"), whoamiSchema);
  show(context, options, answer, ({ name, apps, may, expiresAt }) => [
    `${name}: may ${may}, for ${apps === "all" ? "all apps" : apps.join(", ")}`,
    expiresAt === null ? "It does not expire." : `It expires on ${expiresAt.slice(0, 10)}.`,
  ]);
}
