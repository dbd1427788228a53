import { quote } from "../../../../core/exec/quote.js";
import type { ImageProgram } from "../../../../core/records/releases/artifact.js";

/** An image may have no shell: this one is in each that Sluice has built, of Debian's busybox-static. */
export const PROGRAM_SHELL = "/.sluice/busybox";

/** What starts an image's program, with the environment that Docker is not told. */
export const PROGRAM_ENTRY = [PROGRAM_SHELL, "sh"] as const;

/** What images that start as root do with it: give files to others, become another user, end what they have started. */
export const ROOTS_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"] as const;

/** Whether USER is root. */
export function isRoot(user: string): boolean {
  return /^(?:root|0)?(?::.*)?$/.test(user);
}

export interface ProgramStart {
  /** A line for `sh -c`; empty: what the image starts by itself. */
  readonly command: string;
  /** Added to the image's own. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A script for `PROGRAM_SHELL` that starts the program of an image as Docker would, as its first process and in its folder:
 * ENTRYPOINT with CMD, or with a shell that runs the command. Both outputs are one, or their lines would come in another order.
 */
export function programScript({ entrypoint, command }: ImageProgram, start: ProgramStart): string {
  const words =
    start.command === "" ? [...entrypoint, ...command] : [...entrypoint, "/bin/sh", "-c", start.command];
  return [
    ...Object.entries(start.env).map(([name, value]) => `export ${name}=${quote(value)}`),
    `set -- ${words.map(quote).join(" ")}`,
    EXEC,
    "",
  ].join("\n");
}

/** Runs a command in an image, apart from what the image starts by itself. */
export function commandScript(command: string, env: Readonly<Record<string, string>>): string {
  return programScript({ entrypoint: [], command: [], user: "", port: 0 }, { command, env });
}

/** This shell would run a program of its own in the place of one that is only named. */
const EXEC = `exec 2>&1
program=$1
shift
case $program in
*/*) ;;
*)
  rest=$PATH:
  while [ -n "$rest" ]; do
    found=\${rest%%:*}/$program
    rest=\${rest#*:}
    [ -f "$found" ] && [ -x "$found" ] && program=$found && break
  done
  ;;
esac
[ -e "$program" ] || { echo "sluice: the image has no program $program"; exit 127; }
unset found rest
exec "$program" "$@" </dev/null`;
