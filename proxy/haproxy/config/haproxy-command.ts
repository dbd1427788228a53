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
