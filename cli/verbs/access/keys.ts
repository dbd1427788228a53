import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { AppError } from "../../../core/errors/app-error.js";
import { keysSchema, keySummarySchema, type NewKey } from "../../../core/api/access/keys.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";

/** `sluice keys [add FILE | remove ID]` */
export function keysVerb(command: Command, context: () => Promise<Context>): void {
  command.option("--json", "as JSON").action(async (options: Format) => list(await context(), options));
  command
    .command("add")
    .description("add a .pub file (- reads standard input)")
    .argument("<file>")
    .action(async (file: string) => add(await context(), file));
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
      ["id", "name", "fingerprint"],
      keys.map(({ id, name, fingerprint }) => [id, name, fingerprint]),
    ),
  );
}

async function add(context: Context, file: string): Promise<void> {
  const key = file === "-" ? await readAll(context.input()) : await readKey(file);
  const body: NewKey = { key };
  const answer = await new Client(context).call("POST", apiPath("keys"), keySummarySchema, body);
  const { id, name, fingerprint } = answer;
  context.print(`${name} may push: ${fingerprint} (${id})`);
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
