import { accessLineSchema } from "../../core/api/apps/access-log.js";
import type { Home } from "../../core/home.js";
import { readLog } from "../engines/log-files.js";
import type { LogRequest, WriteEntry } from "./release-logs.js";

/** The access log that this machine's proxy keeps of an app. Lines that are none are left out: a crash may have cut one. */
export async function accessLogs(
  home: Home,
  app: string,
  { lines, follow, signal }: Omit<LogRequest, "number">,
  write: WriteEntry,
): Promise<void> {
  for await (const { text } of readLog(home.accessLog(app), { lines, follow, signal })) {
    const time = timeOf(text);
    if (time !== undefined) await write({ at: time, from: "access", text });
  }
}

function timeOf(text: string): string | undefined {
  try {
    return accessLineSchema.safeParse(JSON.parse(text)).data?.time;
  } catch {
    return undefined;
  }
}
