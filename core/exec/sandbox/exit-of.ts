import { constants } from "node:os";
import type { Exit } from "../exec.js";

/** How a program in a sandbox has ended. bwrap(1) reports it as a shell does: a signal is 128 and its number. */
export function exitOf(status: number): Exit {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal === undefined
    ? { status, signal: undefined }
    : { status: undefined, signal: signal as NodeJS.Signals };
}
