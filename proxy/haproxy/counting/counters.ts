import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { AppError } from "../../../core/errors/app-error.js";
import { systemClock } from "../../../core/clock.js";
import type { Count } from "../../proxy.js";
import { parseProcesses } from "../runtime/answers.js";
import { slotOfEntry } from "../config/entries/slot-entry.js";
import { HITS } from "../config/text/counting-tables.js";
import { WAKE } from "../config/text/wake-backend.js";
import { isTable, parseErrors, parseHits, parseLatencies, tables, type Hits } from "./counts.js";
import { argument, type Runtime } from "../runtime/runtime.js";

const HOLD_TIMEOUT_MS = 1000;
const LEAVE_TIMEOUT_MS = 1000;
const POLL_MS = 20;

interface Worker {
  readonly pid: number;
  /** Pid and start time. */
  readonly process: string;
  /** It was told to stop and only serves the connections that it has. */
  readonly isOld: boolean;
}

/** Asks HAProxy's workers for their counts. All commands go through the master, which also knows workers that are about to end. */
export class Counters {
  /** Worker → keys that had open streams when it was last asked: their answers may come long after their last request. */
  private readonly open = new Map<string, ReadonlySet<string>>();
  /** What workers had counted just before a reload, at which HAProxy empties their tables. */
  private lastWords = new Map<string, readonly Count[]>();
  private wereTold = false;
  /** Worker → a connection that keeps it from ending before it was asked for the last time, and whether that is over. */
  private readonly held = new Map<string, { readonly socket: Socket; isOver: boolean }>();

  constructor(
    private readonly master: Runtime,
    private readonly adminSocket: string,
  ) {}

  async count(all: boolean): Promise<Count[]> {
    if (!all && this.wereTold) {
      this.lastWords.clear();
      for (const [process, { socket, isOver }] of this.held) {
        if (!isOver) continue;
        socket.destroy();
        this.held.delete(process);
      }
    }
    const remembered = new Map(this.lastWords);
    const counts: Count[] = [];
    const workers = await this.workers();
    for (const worker of workers) {
      const now = await this.countOf(worker, all);
      counts.push(...withLastWords(now, remembered.get(worker.process) ?? []));
      remembered.delete(worker.process);
    }
    const processes = new Set(workers.map(({ process }) => process));
    for (const process of this.open.keys()) if (!processes.has(process)) this.open.delete(process);
    this.wereTold = true;
    return [...counts, ...[...remembered.values()].flat()];
  }

  /** Keeps what the workers have counted so far, before a reload. */
  async rememberAll(): Promise<void> {
    for (const worker of await this.workers()) {
      if (!worker.isOld && !this.held.has(worker.process)) await this.hold(worker.process);
      this.lastWords.set(
        worker.process,
        withLastWords(await this.countOf(worker, true), this.lastWords.get(worker.process) ?? []),
      );
    }
    this.wereTold = false;
  }

  /** HAProxy ends an old worker when its last connection closes. This is one, and it times out after an idle hour. */
  private async hold(process: string): Promise<void> {
    const socket = connect(this.adminSocket).unref();
    socket.on("error", () => undefined).once("close", () => this.held.delete(process));
    this.held.set(process, { socket, isOver: false });
    await new Promise((resolve) => {
      socket
        .once("close", resolve)
        .once("data", resolve)
        .setTimeout(HOLD_TIMEOUT_MS, () => resolve(undefined));
      socket.write("prompt\nset timeout cli 3600\n");
    });
  }

  /**
   * Errors are read first and answers last, and answers by latency before answers by status. What is counted meanwhile can
   * then make a difference too small (errors without 5xx answers, answers without those from 400 on), but never too large.
   */
  private async countOf(worker: Worker, all: boolean): Promise<Count[]> {
    const held = this.held.get(worker.process);
    // It was told to stop and has no connections left: these are its final counts.
    if (held !== undefined && !held.isOver)
      held.isOver = /^CurrConns: 0$[^]*^Stopping: 1$/m.test(
        await this.master.run(`@!${worker.pid} show info`),
      );
    const seen = parseHits(await this.ask(worker, [tables.hits(all)]));
    const wereOpen = this.open.get(worker.process) ?? new Set<string>();
    const keys = [...new Set([...seen.keys(), ...(all ? [] : wereOpen)])];
    if (keys.length === 0) return [];
    const slots = new Set(keys.map(slotOfEntry).filter((slot) => slot !== WAKE));
    const answer = await this.ask(worker, [
      ...[...slots].map((slot) => `show stat ${argument(slot)} 2 -1`),
      tables.latencies(all),
      ...(all ? [tables.hits(all)] : keys.map((key) => `show table ${HITS} key ${argument(key)}`)),
    ]);
    const hits = [...parseHits(answer).values()];
    this.open.set(worker.process, new Set(hits.filter(({ isOpen }) => isOpen).map(({ key }) => key)));
    const [latencies, errors] = [parseLatencies(answer), parseErrors(answer)];
    // A release that has just got its slot is counted next time.
    return hits.filter(({ slot }) => slot === undefined || errors.has(slot)).map(toCount);

    function toCount({ slot, ...line }: Hits): Count {
      return {
        ...line,
        process: worker.process,
        latencies: latencies.get(line.key) ?? new Map<number, number>(),
        slot: slot === undefined ? undefined : { name: slot, errors: errors.get(slot) ?? 0 },
      };
    }
  }

  /** Returns "" if the worker has ended. Shortly before that it stops answering. */
  private async ask({ pid, process }: Worker, commands: readonly string[]): Promise<string> {
    const deadline = Date.now() + LEAVE_TIMEOUT_MS;
    for (;;) {
      const answer = await this.master.run(...commands.map((command) => `@!${pid} ${command}`));
      if (isTable(answer)) return answer;
      if ((await processName(pid)) !== process) return "";
      if (Date.now() > deadline)
        throw new AppError("haproxy-refused", { command: commands.join("; ").slice(0, 300), answer });
      await systemClock.sleep(POLL_MS);
    }
  }

  private async workers(): Promise<Worker[]> {
    const answer = await this.master.run("show proc");
    const { workers, oldWorkers } = parseProcesses(answer);
    // The master is reloading at the moment: this does not mean that the workers are gone.
    if (workers.length + oldWorkers.length === 0)
      throw new AppError("haproxy-refused", { command: "show proc", answer });
    const named = [...workers, ...oldWorkers].map(async (pid): Promise<Worker[]> => {
      const process = await processName(pid);
      return process === undefined ? [] : [{ pid, process, isOld: oldWorkers.includes(pid) }];
    });
    return (await Promise.all(named)).flat();
  }
}

/** A worker's counts now and before its tables were emptied: of each number the greater one. */
function withLastWords(now: readonly Count[], before: readonly Count[]): Count[] {
  const said = new Map(before.map((count) => [count.key, count]));
  const greater = now.map((count): Count => {
    const last = said.get(count.key);
    said.delete(count.key);
    if (last === undefined) return count;
    const latencies = new Map(last.latencies);
    for (const [bucket, answers] of count.latencies)
      latencies.set(bucket, Math.max(answers, latencies.get(bucket) ?? 0));
    return { ...(count.requests < last.requests ? last : count), latencies };
  });
  return [...greater, ...said.values()];
}

/** Pid and start time (fields 1 and 22 of /proc/PID/stat, see proc(5)), since pids are reused. A zombie counts as gone. */
async function processName(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, start] = [fields[0], fields[19]];
  return start === undefined || state === "Z" ? undefined : `${pid}-${start}`;
}
