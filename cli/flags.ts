import { AppError } from "../core/app-error.js";
import type { FlagChange } from "../server/flags/flag-store.js";
import type { FlagSummary } from "../server/flags/flag-summary.js";
import { Client } from "./client.js";
import type { Context } from "./context.js";
import { table } from "./table.js";

export interface FlagOptions {
  readonly unset?: string[];
  readonly changes?: boolean;
  readonly json?: boolean;
}

interface FlagArguments extends FlagOptions {
  readonly name: string | undefined;
  readonly value: string | undefined;
}

/** `sluice flags APP [NAME [VALUE]]`: all of them, one, or a change. */
export async function flags(context: Context, app: string, options: FlagArguments): Promise<void> {
  const { name, value, unset = [], changes = false, json = false } = options;
  const client = new Client(context);
  const path = `/api/apps/${encodeURIComponent(app)}/flags`;
  const at = (flag: string): string => `${path}/${encodeURIComponent(flag)}`;
  for (const flag of unset) {
    await client.call("DELETE", at(flag));
    context.print(`${flag} is removed; the app's own default counts.`);
  }
  if (name !== undefined && value !== undefined) {
    // The shapes are the server's own: both come from one build.
    const answer = (await client.call("PUT", at(name), { text: value })) as FlagSummary;
    context.print(json ? JSON.stringify(answer, undefined, 2) : `${name} is ${shown(answer)} now.`);
  } else if (changes) {
    const all = (await client.call("GET", `${path}/changes`)) as FlagChange[];
    print(context, json, all, changeLines);
  } else if (unset.length === 0) {
    const all = (await client.call("GET", path)) as Record<string, FlagSummary>;
    if (name === undefined) print(context, json, all, flagLines);
    else if (Object.hasOwn(all, name)) print(context, json, all[name], (one) => [one?.text ?? ""]);
    else throw new AppError("flag-unknown", { app, flag: name, known: Object.keys(all) });
  }
}

function print<T>(context: Context, json: boolean, answer: T, lines: (answer: T) => string[]): void {
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else for (const line of lines(answer)) context.print(line);
}

function flagLines(flags: Record<string, FlagSummary>): string[] {
  const rows = Object.entries(flags).map(([name, flag]) => [name, flag.kind, shown(flag)]);
  return rows.length === 0 ? ["No flag is set."] : table(["flag", "kind", "value"], rows);
}

function changeLines(changes: readonly FlagChange[]): string[] {
  const rows = changes.map(({ at, who, flag, before, after }) => [
    at.slice(0, 19).replace("T", " "),
    who,
    flag,
    before ?? "-",
    after ?? "-",
  ]);
  return rows.length === 0
    ? ["No change is recorded."]
    : table(["at (UTC)", "by", "flag", "before", "after"], rows);
}

function shown({ value, kind, text, problem }: FlagSummary): string {
  if (kind === "invalid") return `${text} (${problem ?? ""})`;
  return kind === "string" ? text : JSON.stringify(value);
}
