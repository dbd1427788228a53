import type { Command } from "commander";
import { AppError } from "../../../core/errors/app-error.js";
import {
  changedFlagSchema,
  flagChangesSchema,
  flagsSchema,
  type FlagChange,
  type FlagRequest,
  type FlagSummary,
} from "../../../core/api/apps/flags.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { show, type Format } from "../../show/show.js";
import { table } from "../../show/table.js";
import { utcTime } from "../../show/utc-time.js";

/** `sluice flags APP [NAME [VALUE]]`: all of them, one, or a change. */
export function flagsVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .argument("[name]")
    .argument("[value]", "1, 0, a string, a number, or a rule as JSON")
    .option("--unset <name...>", "remove these")
    .option("--changes", "who changed what, newest first")
    .option("--json", "as JSON")
    .action(async (app: string, name: string | undefined, value: string | undefined, options: FlagsOptions) =>
      flags(await context(), app, { ...options, name, value }),
    );
}

interface FlagsOptions extends Format {
  readonly unset?: string[];
  readonly changes?: boolean;
}

interface FlagsArguments extends FlagsOptions {
  readonly name: string | undefined;
  readonly value: string | undefined;
}

async function flags(context: Context, app: string, options: FlagsArguments): Promise<void> {
  const { name, value, unset = [], changes = false } = options;
  const client = new Client(context);
  const at = (...parts: string[]): string => apiPath("apps", app, "flags", ...parts);
  for (const flag of unset) {
    await client.send("DELETE", at(flag));
    context.print(`${flag} was removed; the app's own default applies.`);
  }
  if (name !== undefined && value !== undefined) {
    const answer = await client.call("PUT", at(name), changedFlagSchema, {
      text: value,
    } satisfies FlagRequest);
    show(context, options, answer, (flag) => [`${name} is now ${shown(flag)}.`]);
  } else if (changes) {
    show(context, options, await client.call("GET", at("changes"), flagChangesSchema), changeLines);
  } else if (unset.length === 0) {
    const all = await client.call("GET", at(), flagsSchema);
    if (name === undefined) show(context, options, all, flagLines);
    else if (Object.hasOwn(all, name)) show(context, options, all[name], (flag) => [flag?.text ?? ""]);
    else throw new AppError("flag-unknown", { app, flag: name, known: Object.keys(all) });
  }
}

function flagLines(flags: Record<string, FlagSummary>): string[] {
  const rows = Object.entries(flags).map(([name, flag]) => [name, flag.kind, shown(flag)]);
  return rows.length === 0 ? ["No flags are set."] : table(["flag", "kind", "value"], rows);
}

function changeLines(changes: readonly FlagChange[]): string[] {
  const rows = changes.map(({ at, who, flag, before, after }) => [
    utcTime(at),
    who,
    flag,
    before ?? "-",
    after ?? "-",
  ]);
  return rows.length === 0
    ? ["No changes are recorded."]
    : table(["at (UTC)", "by", "flag", "before", "after"], rows);
}

function shown({ value, kind, text, problem }: FlagSummary): string {
  if (kind === "invalid") return `${text} (${problem ?? ""})`;
  return kind === "string" ? text : JSON.stringify(value);
}
