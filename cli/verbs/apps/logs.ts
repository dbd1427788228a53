import type { Command } from "commander";
import { z } from "zod";
import { logEntrySchema, type LogEntry } from "../../../core/api/apps/logs.js";
import { printable } from "../../../core/printable.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { parseCount } from "../arguments/parse-count.js";

/** `sluice logs APP` */
export function logsVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .option("--follow", "keep printing new lines until Ctrl-C")
    .option("--release <release>", "only one release, with the output of its build")
    .option("--lines <count>", "number of last lines", parseCount, 100)
    .option("--json", "as JSON, one object a line")
    .action(async (app: string, options: LogsOptions) => logs(await context(), app, options));
}

interface LogsOptions {
  readonly follow?: boolean;
  readonly release?: string;
  readonly lines: number;
  readonly json?: boolean;
}

async function logs(
  context: Context,
  app: string,
  { follow = false, release, lines, json }: LogsOptions,
): Promise<void> {
  const query = new URLSearchParams({
    lines: String(lines),
    follow: String(follow),
    ...(release === undefined ? {} : { release }),
  });
  const path = `${apiPath("apps", app, "logs")}?${query.toString()}`;
  await new Client(context).stream("GET", path, { line: logEntrySchema, done: z.unknown() }, (entry) =>
    context.print(json ? JSON.stringify(entry) : entryText(entry)),
  );
}

function entryText({ at, from, text }: LogEntry): string {
  return `${at === "" ? "" : `${at} `}${from} | ${printable(text)}`;
}
