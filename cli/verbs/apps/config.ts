import type { Command } from "commander";
import { AppError } from "../../../core/errors/app-error.js";
import { configSchema, type ConfigChange } from "../../../core/api/apps/config.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { readSecret } from "../arguments/read-secret.js";
import { show, type Format } from "../../show/show.js";

/** `sluice config APP [NAME=VALUE … | NAME]`: shows or changes the environment of the next release. */
export function configVerb(command: Command, context: () => Promise<Context>): void {
  command
    .argument("<app>")
    .argument(
      "[settings...]",
      "NAME=VALUE …, or one NAME: its value is read from standard input, without echo",
    )
    .option("--unset <name...>", "remove these")
    .option("--json", "as JSON")
    .action(async (app: string, settings: string[], options: ConfigOptions) =>
      config(await context(), app, settings, options),
    );
}

interface ConfigOptions extends Format {
  readonly unset?: string[];
}

async function config(
  context: Context,
  app: string,
  settings: readonly string[],
  { unset = [], json }: ConfigOptions,
): Promise<void> {
  const set = Object.fromEntries(await valuesOf(context, settings));
  const isChange = settings.length > 0 || unset.length > 0;
  const answer = await new Client(context).call(
    isChange ? "PATCH" : "GET",
    apiPath("apps", app, "config"),
    configSchema,
    isChange ? ({ set, unset } satisfies ConfigChange) : undefined,
  );
  show(context, { json }, answer, (variables) =>
    isChange
      ? [`Set for the next release of ${app}: ${Object.keys(variables).join(", ") || "nothing"}`]
      : Object.entries(variables).map(([name, value]) =>
          value === null ? `${name} (only an admin sees the value)` : `${name}=${value}`,
        ),
  );
}

type Setting = readonly [name: string, value: string];

async function valuesOf(context: Context, settings: readonly string[]): Promise<Setting[]> {
  const [name] = settings;
  if (name !== undefined && settings.length === 1 && !name.includes("="))
    return [[name, await readSecret(context, `Value of ${name}`)]];
  return settings.map(parseSetting);
}

function parseSetting(setting: string): Setting {
  const at = setting.indexOf("=");
  if (at < 1) throw new AppError("request-invalid", { problem: `"${setting}" is not NAME=VALUE` });
  return [setting.slice(0, at), setting.slice(at + 1)];
}
