import { createWriteStream } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { createLog, type Log } from "../core/log.js";
import type { Context } from "./context.js";

const LONGEST_LOG_BYTES = 20 * 1024 * 1024;

/** The server's log; one that has grown long is put aside first. */
export async function openLog({ home, settings }: Context): Promise<Log> {
  const size = await stat(home.log()).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > LONGEST_LOG_BYTES) await rename(home.log(), `${home.log()}.1`);
  return createLog(createWriteStream(home.log(), { flags: "a", mode: 0o600 }), settings.logLevel);
}
