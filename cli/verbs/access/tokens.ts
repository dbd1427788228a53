import type { Command } from "commander";
import { createdTokenSchema, tokensSchema, type NewToken } from "../../../core/api/access/tokens.js";
import { RIGHTS, type Right } from "../../../core/api/access/scope.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";
import { addScopeOptions, scopeBody, scopeCells, type ScopeOptions } from "./scope-options.js";

/** `sluice tokens [create NAME | remove ID]` */
export function tokensVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => list(await context(), options));
  addScopeOptions(command.command("create"), RIGHTS)
    .description("create a token; it is shown only once")
    .argument("<name>")
    .action(async (name: string, options: ScopeOptions<Right>) => create(await context(), name, options));
  command
    .command("remove")
    .description("remove a token")
    .argument("<id>")
    .action(async (id: string) => remove(await context(), id));
}

async function list(context: Context, options: Format): Promise<void> {
  const answer = await new Client(context).call("GET", apiPath("tokens"), tokensSchema);
  show(context, options, answer, (tokens) =>
    table(
      ["id", "begins", "name", "apps", "may", "expires", "created"],
      tokens.map((token) => {
        const { id, prefix, name, createdAt } = token;
        return [id, prefix ?? "?", name, ...scopeCells(token), createdAt.slice(0, 10)];
      }),
    ),
  );
}

async function create(context: Context, name: string, options: ScopeOptions<Right>): Promise<void> {
  const body: NewToken = { name, ...scopeBody(options) };
  const answer = await new Client(context).call("POST", apiPath("tokens"), createdTokenSchema, body);
  context.print(answer.token);
  context.print(`(id ${answer.id}; shown only once)`);
}

async function remove(context: Context, id: string): Promise<void> {
  await new Client(context).send("DELETE", apiPath("tokens", id));
  context.print(`Removed ${id}.`);
}
