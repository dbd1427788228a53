import type { Command } from "commander";
import { z } from "zod";
import { accessLineSchema, type AccessLine } from "../../../core/api/apps/access-log.js";
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
    .option("-f, --follow", "keep printing new lines until Ctrl-C")
    .option("--release <release>", "only one release, with the output of its build")
    .option("-n, --lines <count>", "number of last lines", parseCount, 100)
    .option("--access", "the access log: a line for each request")
    .option("--json", "as JSON, one object a line")
    .action(async (app: string, options: LogsOptions) => {
      if (options.access && options.release !== undefined)
        command.error("error: the access log is of all releases, so --access takes no --release");
      await logs(await context(), app, options);
    });
}

interface LogsOptions {
  readonly follow?: boolean;
  readonly release?: string;
  readonly lines: number;
  readonly access?: boolean;
  readonly json?: boolean;
}

async function logs(
  context: Context,
  app: string,
  { follow = false, release, lines, access = false, json = false }: LogsOptions,
): Promise<void> {
  const query = new URLSearchParams({
    lines: String(lines),
    follow: String(follow),
    ...(access ? { access: "true" } : {}),
    ...(release === undefined ? {} : { release }),
  });
  const path = `${apiPath("apps", app, "logs")}?${query.toString()}`;
  await new Client(context).stream("GET", path, { line: logEntrySchema, done: z.unknown() }, (entry) =>
    context.print(access ? accessText(entry, json) : json ? JSON.stringify(entry) : entryText(entry)),
  );
}

function entryText({ at, from, text }: LogEntry): string {
  return `${at === "" ? "" : `${at} `}${from} | ${printable(text)}`;
}

function accessText({ text }: LogEntry, json: boolean): string {
  return json ? text : printable(requestText(accessLineSchema.parse(JSON.parse(text))));
}

/** `TIME ADDRESS METHOD HOST/PATH STATUS MILLISECONDS ms RELEASE TRACK` */
function requestText(line: AccessLine): string {
  if ("dropped" in line) return `${line.time} ${line.dropped} lines are missing here`;
  const { time, address, method, host, path, status, milliseconds, release, track } = line;
  const served = release === null ? "" : ` ${release} ${track ?? ""}`;
  return `${time} ${address} ${method} ${host}${path} ${status ?? "-"} ${milliseconds} ms${served}`;
}
