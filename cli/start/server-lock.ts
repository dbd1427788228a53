import { open, readFile, rm } from "node:fs/promises";
import { AppError } from "../../core/errors/app-error.js";
import type { Home } from "../../core/home.js";

/** Holds a state folder for this process. Throws `already-running`. Answers how to give it back. */
export async function lockHome(home: Home): Promise<() => Promise<void>> {
  const mine = `${process.pid} ${await startTime(process.pid)}\n`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(home.pid(), "wx", 0o600);
      await file.writeFile(mine);
      await file.close();
      return async () => rm(home.pid(), { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const pid = await runningServer(home);
    if (pid !== undefined) throw new AppError("already-running", { home: home.root, pid });
    await rm(home.pid(), { force: true });
  }
  throw new AppError("already-running", { home: home.root, pid: 0 });
}

/** The process id of the server that holds a state folder; undefined when there is none (any more). */
export async function runningServer(home: Home): Promise<number | undefined> {
  const [pid, started] = (await readFile(home.pid(), "utf8").catch(() => "")).trim().split(" ");
  if (pid === undefined || started === undefined) return undefined;
  return (await startTime(Number(pid))) === started ? Number(pid) : undefined;
}

/** proc(5), /proc/PID/stat, field 22: tells a process from a later one of the same number. Empty when there is none. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? "" : (fields[19] ?? "");
}
