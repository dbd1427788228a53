import { readdir } from "node:fs/promises";
import type { Home } from "../../../core/home.js";
import type { InstanceLogs, LogLine, LogOptions } from "../instance-logs.js";
import { forgetLogs, readLog } from "../log-files.js";

/** The logs that `svlogd` writes beside each service. */
export class RunitLogs implements InstanceLogs {
  constructor(private readonly home: Home) {}

  read(id: string, options: LogOptions): AsyncIterable<LogLine> {
    return readLog(this.home.serviceLog(id), options);
  }

  async forget(prefix: string): Promise<void> {
    const kept = await readdir(this.home.services()).catch(() => []);
    await forgetLogs(this.home.logs(), prefix, new Set(kept));
  }
}
