import { createLog, type Log } from "../../../core/log.js";
import type { Context } from "../context.js";
import { LogFile } from "./log-file.js";

const LONGEST_LOG_BYTES = 20 * 1024 * 1024;

/** The server's log; one that has grown long is put aside. */
export function openLog({ home, settings }: Context): Log {
  return createLog(new LogFile(home.log(), LONGEST_LOG_BYTES), settings.logLevel);
}
