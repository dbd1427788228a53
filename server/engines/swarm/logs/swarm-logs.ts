import type { Home } from "../../../../core/home.js";
import type { InstanceLogs, LogLine, LogOptions } from "../../instance-logs.js";
import { forgetLogs, readLog } from "../../log-files.js";
import type { SwarmEngine } from "../swarm-engine.js";

/** The logs that `LogCollector` stores. */
export class SwarmLogs implements InstanceLogs {
  constructor(
    private readonly home: Home,
    private readonly engine: Pick<SwarmEngine, "list">,
  ) {}

  read(id: string, options: LogOptions): AsyncIterable<LogLine> {
    return readLog(this.home.serviceLog(id), options);
  }

  /** While the Swarm does not answer, nothing is forgotten. */
  async forget(prefix: string): Promise<void> {
    const kept = (await this.engine.list()).map(({ id }) => id);
    await forgetLogs(this.home.logs(), prefix, new Set(kept));
  }
}
