import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import type { Command } from "./exec.js";

export type PipedProcess = ChildProcessWithoutNullStreams;

/**
 * Starts a command in a process group of its own whose input and output the caller pipes, byte for byte. The caller also
 * listens for `error` and ends the group (`endGroup`); `runCommand` does all of that for commands that print lines.
 */
export function startPiped(command: Command): PipedProcess {
  const [file, ...args] = command.argv;
  return spawn(file, args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    ...(command.user ?? {}),
  });
}
