import type { Command } from "commander";
import type { TokenSummary } from "../../../core/api/access/tokens.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";

/** `sluice tokens [create NAME | remove ID]` */
export function tokensVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => list(await context(), options));
  command
    .command("create")
    .description("make a token; it is shown once")
    .argument("<name>")
    .action(async (name: string) => create(await context(), name));
  command
    .command("remove")
    .description("remove a token")
    .argument("<id>")
    .action(async (id: string) => remove(await context(), id));
}

async function list(context: Context, options: Format): Promise<void> {
  const answer = await new Client(context).call<TokenSummary[]>("GET", apiPath("tokens"));
  show(context, options, answer, (tokens) =>
    table(
      ["id", "name", "made"],
      tokens.map(({ id, name, createdAt }) => [id, name, createdAt]),
    ),
  );
}

async function create(context: Context, name: string): Promise<void> {
  const client = new Client(context);
  const answer = await client.call<TokenSummary & { token: string }>("POST", apiPath("tokens"), { name });
  context.print(answer.token);
  context.print(`(id ${answer.id}; shown this once)`);
}

async function remove(context: Context, id: string): Promise<void> {
  await new Client(context).call("DELETE", apiPath("tokens", id));
  context.print(`Removed ${id}.`);
}
