import { systemClock } from "../../../core/clock.js";
import { eachProcess } from "../../../core/exec/each-process.js";

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
  const carriers: number[] = [];
  await eachProcess("environ", (pid, environment) => {
    if (environment.includes(variable) && environment.split("\0").includes(variable)) carriers.push(pid);
  });
  return carriers;
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
