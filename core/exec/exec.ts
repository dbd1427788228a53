import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { abortReason } from "../clock.js";
import { LineSplitter } from "./line-splitter.js";

/** A command as a value: argument vector, never a shell string. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly user?: User;
}

/** A numeric user; needs no passwd entry. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Called for each line of stdout and stderr, as it comes; a long one is cut (`LONGEST_LINE_BYTES`). */
  readonly onLine?: (line: string, from: "stdout" | "stderr") => void;
  readonly input?: Readable;
}

export interface Exit {
  /** Exit status, or undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

const TERM_GRACE_MS = 3000;
/** How long output is waited for that somebody outside the group may still write. */
const LINGER_MS = 1000;
const MOST_CAPTURED = 4 * 1024 * 1024;

/**
 * Runs a command to its end in a process group of its own; whatever it started goes with it. When `signal` aborts, the
 * group gets TERM, three seconds of grace, then KILL, and the promise rejects with the signal's reason.
 */
export async function runCommand(command: Command, options: RunOptions = {}): Promise<Exit> {
  const { signal, onLine } = options;
  if (signal?.aborted) throw abortReason(signal);
  const [file, ...args] = command.argv;
  const child = spawn(file, args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: [options.input ? "pipe" : "ignore", "pipe", "pipe"],
    ...(command.user ?? {}),
  });
  if (options.input && child.stdin) feed(options.input, child.stdin);
  const { stdout, stderr } = child;
  const outputs = [stdout, stderr].filter((output) => output !== null);
  const lines = Promise.all(
    outputs.map(async (output) => readLines(output, onLine, output === stdout ? "stdout" : "stderr")),
  );
  const stopGroup = (): void => {
    endGroup(child.pid, "SIGTERM");
    setTimeout(() => endGroup(child.pid, "SIGKILL"), TERM_GRACE_MS).unref();
  };
  signal?.addEventListener("abort", stopGroup, { once: true });
  try {
    const exit = await new Promise<Exit>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (status, by) => resolve({ status: status ?? undefined, signal: by ?? undefined }));
    });
    // A grandchild that holds the pipe would keep the reader waiting for ever; one that has left the group still can.
    endGroup(child.pid, "SIGKILL");
    const linger = setTimeout(() => {
      for (const output of outputs) output.destroy();
    }, LINGER_MS);
    await lines.finally(() => clearTimeout(linger));
    if (signal?.aborted) throw abortReason(signal);
    return exit;
  } finally {
    signal?.removeEventListener("abort", stopGroup);
  }
}

/** Runs a short command and returns its stdout. Rejects with its stderr when it fails. */
export async function outputOf(
  command: Command,
  options: Pick<RunOptions, "signal" | "input"> = {},
): Promise<string> {
  const { exit, stdout, stderr } = await captureCommand(command, options);
  if (exit.status === 0) return stdout;
  const said = (stderr === "" ? stdout : stderr).split("\n").slice(-5).join(" ");
  throw new Error(`${command.argv[0]} failed (${describeExit(exit)}): ${said}`);
}

/** Runs a short command and returns how it ended and what it wrote: of stdout and stderr the first 4 MiB each. */
export async function captureCommand(
  command: Command,
  options: Pick<RunOptions, "signal" | "input"> = {},
): Promise<{ exit: Exit; stdout: string; stderr: string }> {
  const lines = { stdout: [] as string[], stderr: [] as string[] };
  const room = { stdout: MOST_CAPTURED, stderr: MOST_CAPTURED };
  const exit = await runCommand(command, {
    ...options,
    onLine: (line, from) => {
      room[from] -= line.length + 1;
      if (room[from] >= 0) lines[from].push(line);
    },
  });
  return { exit, stdout: lines.stdout.join("\n"), stderr: lines.stderr.join("\n") };
}

export function describeExit(exit: Exit): string {
  return exit.signal === undefined ? `status ${exit.status ?? "unknown"}` : `killed by ${exit.signal}`;
}

/** Signals a whole process group; one that is gone already is no error. */
export function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function feed(input: Readable, stdin: Writable): void {
  // The command may end before it has read all; that is its right.
  stdin.on("error", () => input.destroy());
  input.pipe(stdin);
}

/** Resolves at the end of the output, also of one that is destroyed before. */
async function readLines(
  output: Readable,
  onLine: RunOptions["onLine"],
  from: "stdout" | "stderr",
): Promise<void> {
  const splitter = new LineSplitter();
  const give = (lines: readonly string[]): void => {
    for (const line of lines) onLine?.(line, from);
  };
  await new Promise<void>((resolve, reject) => {
    output.on("data", (chunk: Buffer) => {
      try {
        give(splitter.push(chunk));
      } catch (error) {
        output.destroy();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    output.once("close", resolve);
    output.once("error", reject);
  });
  give(splitter.end());
}
