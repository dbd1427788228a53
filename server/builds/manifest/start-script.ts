import { quote } from "../../../core/exec/quote.js";
import { execLast } from "./exec-last.js";
import type { PackageJson } from "./package-json.js";

/**
 * The line for `sh -c` that does what `npm start` does, without npm staying around it (78 MB an instance): the scripts
 * `prestart`, `start` and `poststart` (docs.npmjs.com, "scripts"), each in a shell of its own and with what npm tells a
 * script of its package. The last takes the place of the shell, so that signals reach it. Undefined without a `start`.
 */
export function startCommand(packageJson: PackageJson): string | undefined {
  const { scripts } = packageJson;
  if (scripts["start"] === undefined) return undefined;
  const lines = ["prestart", "start", "poststart"].flatMap((name) => {
    const script = scripts[name];
    return script === undefined ? [] : [scriptCommand(name, script)];
  });
  const last = lines.pop() ?? "";
  return [packageVariables(packageJson), ...lines.map((line) => `sh -c ${line}`), `exec sh -c ${last}`].join(
    " && ",
  );
}

/** What `sh -c` gets: the variables are set inside, where they hold for this script alone. */
function scriptCommand(name: string, script: string): string {
  return quote(
    `export npm_lifecycle_event=${name} npm_lifecycle_script=${quote(script)}; exec sh -c ${quote(execLast(script))}`,
  );
}

function packageVariables({ name, version, config, engines }: PackageJson): string {
  const variables = [
    ...Object.entries({ name, version }),
    ...Object.entries(config).map(([key, value]) => [`config_${key}`, value] as const),
    ...Object.entries(engines).map(([key, value]) => [`engines_${key}`, value] as const),
  ].flatMap(([key, value]) =>
    ["string", "number", "boolean"].includes(typeof value) && /^\w+$/.test(key)
      ? [`npm_package_${key}=${quote(String(value))}`]
      : [],
  );
  return ["export npm_command=start", 'npm_package_json="$PWD/package.json"', ...variables].join(" ");
}
