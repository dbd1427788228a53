import { AppError } from "../../../core/errors/app-error.js";
import { systemClock } from "../../../core/clock.js";
import { parseProcesses } from "./answers.js";
import type { Runtime } from "./runtime.js";

const RELOAD_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/** HAProxy's processes: the one that takes new connections, and those from before a reload, which finish theirs. */
export class Workers {
  constructor(
    private readonly master: Runtime,
    /** The worker that takes new requests. */
    private readonly newest: Runtime,
  ) {}

  /** The pids of the processes that take new requests; after a restart they are different. */
  async present(): Promise<string> {
    return parseProcesses(await this.master.run("show proc")).workers.join(" ");
  }

  /** Every worker's answers to these commands, in no particular order. */
  async ask(commands: readonly string[]): Promise<string[]> {
    const { oldWorkers } = parseProcesses(await this.master.run("show proc"));
    const answers = [await this.newest.run(...commands)];
    for (const pid of oldWorkers) {
      // An old worker may have ended by now.
      for (const command of commands)
        answers.push(await this.master.run(`@!${pid} ${command}`).catch(() => ""));
    }
    return answers;
  }

  /** A reload: starts new workers with the present files. Throws `haproxy-refused` if HAProxy does not accept them. */
  async replace(): Promise<void> {
    const before = parseProcesses(await this.master.run("show proc"));
    await this.master.run("reload").catch(() => "");
    const deadline = Date.now() + RELOAD_TIMEOUT_MS;
    while (Date.now() < deadline) {
      await systemClock.sleep(POLL_MS);
      const now = parseProcesses(await this.master.run("show proc").catch(() => ""));
      if (now.failed > before.failed) break;
      const areNew = now.workers.length > 0 && !now.workers.some((pid) => before.workers.includes(pid));
      if (areNew && (await this.answers())) return;
    }
    throw new AppError("haproxy-refused", {
      command: "reload",
      answer: "the new configuration was not accepted",
    });
  }

  private async answers(): Promise<boolean> {
    return this.newest.run("show version").then(
      () => true,
      () => false,
    );
  }
}
