import { readdir, readFile } from "node:fs/promises";
import { systemClock } from "../../core/clock.js";

const MOST_LOOKS = 100;
const POLL_MS = 10;

/** Ends what a command left running outside its process group (`setsid`, a daemon): all that carry `variable` in their environment. */
export async function endStragglers(variable: string): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    const pids = await carriersOf(variable);
    if (pids.length === 0) return;
    for (const pid of pids) end(pid);
    await systemClock.sleep(POLL_MS);
  }
}

/** proc(5), /proc/PID/environ; that of a process that has ended is empty. */
async function carriersOf(variable: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const carries = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.split("\0").includes(variable);
    }),
  );
  return pids.filter((_, index) => carries[index]).map(Number);
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
