import { readFileSync } from "node:fs";
import { control, serviceState } from "../../../core/exec/runsv.js";
import { isAppError } from "../../../core/errors/app-error.js";
import { parseAuxv } from "../../../core/kernel/auxv.js";
import { parseProcessStat } from "../../../core/kernel/process-stat.js";
import type { Log } from "../../../core/log.js";
import { systemClock } from "../../../core/clock.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { Database } from "../../../core/redis/database.js";
import { replyCode } from "../../../core/redis/redis-error.js";
import { appOfScript } from "./app-of-script.js";
import { keepWhenCrowded } from "./keep-when-crowded.js";

const TICK_MS = 250;
const LOOKS = 10;
const LOOK_MS = 50;
/** A command that is no script cannot be ended. It may take this many times as long as a script, and at least this long. */
const COMMAND_FACTOR = 5;
const SHORTEST_COMMAND_MS = 5000;
/** With less of a processor it waits for something, such as the disk. Others want it too. */
const BUSY_SHARE = 0.2;

export interface ScriptWatchdogOptions {
  readonly redis: Database;
  /** The folder that its `runsv` supervises. */
  readonly service: string;
  /** A script that runs longer is ended. */
  readonly scriptMs: number;
  readonly log: Log;
}

/**
 * Redis does one thing at a time: an app's script that does not end keeps it from all others. This ends it (`SCRIPT KILL`),
 * or, when it has written and Redis refuses that, the process: `runsv` starts it again without what the script did. The same
 * happens when it works on any other command for far too long.
 */
export class ScriptWatchdog {
  private readonly redis: Database;
  private readonly commandMs: number;
  private readonly ticker: Ticker;
  private readonly ticksPerSecond = parseAuxv(readFileSync("/proc/self/auxv")).ticksPerSecond;

  constructor(private readonly options: ScriptWatchdogOptions) {
    this.commandMs = Math.max(SHORTEST_COMMAND_MS, COMMAND_FACTOR * options.scriptMs);
    // While a script runs, Redis refuses the INFO that a ready check sends.
    this.redis = options.redis.another({
      enableReadyCheck: false,
      commandTimeout: this.commandMs,
      lazyConnect: true,
    });
    this.redis.on("error", () => undefined);
    keepWhenCrowded(this.redis);
    this.ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.look(),
      onError: (error) => options.log.warn({ err: error }, "could not look after the apps' Redis"),
    });
  }

  start(): { stop(): Promise<void> } {
    this.redis.connect().catch(() => undefined);
    this.ticker.start();
    return {
      stop: async () => {
        // Else the job waits for an answer.
        this.redis.disconnect();
        await this.ticker.stop();
      },
    };
  }

  private async look(): Promise<void> {
    if (this.redis.status !== "ready") return;
    const before = await this.usage();
    try {
      await this.redis.ping();
    } catch (error) {
      if (replyCode(error) === "BUSY") return this.endScript();
      const after = await this.usage();
      const isBusy =
        before.pid === after.pid &&
        after.cpuSeconds - before.cpuSeconds >= (BUSY_SHARE * this.commandMs) / 1000;
      if (isAppError(error, "redis-unavailable") && replyCode(error) === undefined && isBusy)
        await this.restart(`a command took longer than ${this.commandMs / 1000} s`);
    }
  }

  private async endScript(): Promise<void> {
    const { log, scriptMs } = this.options;
    try {
      await this.redis.script("KILL");
    } catch (error) {
      const code = replyCode(error);
      if (code === "UNKILLABLE") await this.restart("a script had written and could not be ended");
      else if (code !== "NOTBUSY") throw error;
      return;
    }
    const app = await this.appThatWasEnded(scriptMs);
    log.error(
      { app, seconds: scriptMs / 1000 },
      "ended a script of an app that blocked the apps' Redis: the app should do less in one script (redis.appsScriptSeconds)",
    );
  }

  /** Redis lists a script a moment after it has been told to end it. */
  private async appThatWasEnded(scriptMs: number): Promise<string | undefined> {
    for (let look = 0; look < LOOKS; look++) {
      const app = await appOfScript(this.redis, scriptMs).catch((error: unknown) => {
        if (replyCode(error) === "BUSY") return undefined;
        throw error;
      });
      if (app !== undefined) return app;
      await systemClock.sleep(LOOK_MS);
    }
    return undefined;
  }

  private async restart(reason: string): Promise<void> {
    const { log, service } = this.options;
    const { pid } = await serviceState(service);
    await control(service, "k");
    log.error(
      { pid, reason },
      "restarted the apps' Redis, which an app had blocked; what its last command wrote is undone (docs/redis.md)",
    );
  }

  /** Processor time of its process by now. */
  private async usage(): Promise<{ pid: number | undefined; cpuSeconds: number }> {
    const { pid } = await serviceState(this.options.service);
    if (pid === undefined) return { pid, cpuSeconds: 0 };
    return { pid, cpuSeconds: ticksOf(pid) / this.ticksPerSecond };
  }
}

function ticksOf(pid: number): number {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, "latin1"))?.ticks ?? 0;
  } catch {
    return 0;
  }
}
