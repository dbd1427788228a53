import { readdir, rm } from "node:fs/promises";
import type { Home } from "../../../core/home.js";
import { parseInstanceId } from "../../../core/instances/instance-id.js";
import type { InstanceLogs, LogLine, LogOptions } from "../instance-logs.js";
import { readLog } from "./log-files.js";

/** The logs that `svlogd` writes beside each service. */
export class RunitLogs implements InstanceLogs {
  constructor(private readonly home: Home) {}

  read(id: string, options: LogOptions): AsyncIterable<LogLine> {
    return readLog(this.home.serviceLog(id), options);
  }

  async forget(prefix: string): Promise<void> {
    const kept = new Set(await readdir(this.home.services()).catch(() => []));
    for (const id of await readdir(this.home.logs()).catch(() => [])) {
      if (parseInstanceId(id) === undefined || kept.has(id)) continue;
      if (id === prefix || id.startsWith(`${prefix}.`))
        await rm(this.home.serviceLog(id), { recursive: true, force: true });
    }
  }
}
