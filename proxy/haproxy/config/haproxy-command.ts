import { quote } from "../../../core/exec/quote.js";
import { paths } from "./paths.js";

/** `haproxy` in the foreground. Its configuration is a fixed part (`configurationText`) and a file per slot. */
export function haproxyCommand(folder: string): string[] {
  return [
    "haproxy",
    "-W",
    "-S",
    paths.masterSocket(folder),
    "-f",
    paths.configuration(folder),
    "-f",
    paths.slots(folder),
  ];
}

/**
 * The last lines of a shell script that becomes HAProxy, with the pipe of access logs as its standard output: opened to read as
 * well, so that it always has a reader, and writing to it fails without waiting when it is full.
 */
export function haproxyScript(folder: string): string {
  const pipe = quote(paths.accessPipe(folder));
  return `[ -p ${pipe} ] || { rm -f ${pipe}; mkfifo -m 600 ${pipe}; }
exec ${haproxyCommand(folder).map(quote).join(" ")} 1<>${pipe}`;
}
