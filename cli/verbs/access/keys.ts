import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { AppError } from "../../../core/errors/app-error.js";
import { keysSchema, keySummarySchema, type NewKey } from "../../../core/api/access/keys.js";
import { KEY_RIGHTS } from "../../../core/api/access/scope.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";
import { addScopeOptions, scopeBody, scopeCells, type ScopeOptions } from "./scope-options.js";

type KeyRight = (typeof KEY_RIGHTS)[number];

/** `sluice keys [add FILE | remove ID]` */
export function keysVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => list(await context(), options));
  addScopeOptions(command.command("add"), KEY_RIGHTS)
    .description("add a .pub file (- reads standard input)")
    .argument("<file>")
    .action(async (file: string, options: ScopeOptions<KeyRight>) => add(await context(), file, options));
  command
    .command("remove")
    .description("remove a key")
    .argument("<id>")
    .action(async (id: string) => remove(await context(), id));
}

async function list(context: Context, options: Format): Promise<void> {
  const answer = await new Client(context).call("GET", apiPath("keys"), keysSchema);
  show(context, options, answer, (keys) =>
    table(
      ["id", "name", "apps", "may", "expires", "fingerprint"],
      keys.map((key) => [key.id, key.name, ...scopeCells(key), key.fingerprint]),
    ),
  );
}

async function add(context: Context, file: string, options: ScopeOptions<KeyRight>): Promise<void> {
  const key = file === "-" ? await readAll(context.input()) : await readKey(file);
  const body: NewKey = { key, ...scopeBody(options) };
  const answer = await new Client(context).call("POST", apiPath("keys"), keySummarySchema, body);
  const { id, name, may, apps, fingerprint } = answer;
  const where = apps === "all" ? "" : ` ${apps.join(", ")}`;
  context.print(`${name} may ${may}${where}: ${fingerprint} (${id})`);
}

async function readKey(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new AppError("key-invalid", { reason: error instanceof Error ? error.message : String(error) });
  });
}

async function remove(context: Context, id: string): Promise<void> {
  await new Client(context).send("DELETE", apiPath("keys", id));
  context.print(`Removed ${id}.`);
}
