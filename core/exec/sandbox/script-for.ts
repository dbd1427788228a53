import { quote } from "../quote.js";

export interface InnerScript {
  readonly folder: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** A line for `sh -c`. */
  readonly command: string;
  /** Lines that come before the command. */
  readonly before?: readonly string[];
}

/**
 * A script for the stdin of a shell inside a sandbox: what it exports is seen by nobody outside, neither in a list of
 * processes nor by a program that prepares the sandbox.
 */
export function scriptFor({ folder, env, command, before = [] }: InnerScript): string {
  return [
    `cd ${quote(folder)} || exit 1`,
    ...before,
    "unset PATH PWD OLDPWD",
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}`),
    `exec /bin/sh -c ${quote(command)} </dev/null`,
    "",
  ].join("\n");
}
