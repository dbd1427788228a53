import { spawn, type ChildProcess } from "node:child_process";
import type { Command } from "./exec.js";

/**
 * Starts a command in a session of its own that outlives this process, which does not wait for it. `output` is the file
 * descriptor that gets what it prints. Rejects when it cannot be started.
 */
export async function startDetached(command: Command, output?: number): Promise<ChildProcess> {
  const [file, ...args] = command.argv;
  const to = output ?? "ignore";
  const child = spawn(file, args, {
    cwd: command.cwd ?? "/",
    env: command.env,
    detached: true,
    stdio: ["ignore", to, to],
    ...(command.user ?? {}),
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.unref();
  return child;
}
