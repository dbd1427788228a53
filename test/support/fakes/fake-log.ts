import { EventEmitter, once } from "node:events";
import type { LogLine, LogOptions } from "../../../server/engines/instance-logs.js";

/** An instance's log, in memory. */
export class FakeLog {
  private readonly lines: LogLine[] = [];
  private readonly growth = new EventEmitter();
  private unfinished = "";

  write(text: string): void {
    const [unfinished = "", ...whole] = (this.unfinished + text).split("\n").reverse();
    this.unfinished = unfinished;
    for (const line of whole.reverse()) this.lines.push({ at: new Date().toISOString(), text: line });
    if (whole.length > 0) this.growth.emit("line");
  }

  async *read({ lines, follow, signal }: LogOptions): AsyncGenerator<LogLine> {
    let next = Math.max(0, this.lines.length - lines);
    for (;;) {
      for (; next < this.lines.length; next++) {
        const line = this.lines[next];
        if (line !== undefined) yield line;
      }
      if (!follow || signal.aborted) return;
      await once(this.growth, "line", { signal }).catch(() => undefined);
    }
  }
}
