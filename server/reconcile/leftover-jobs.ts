import { readdir, readFile } from "node:fs/promises";
import { endGroup } from "../../core/exec.js";

/**
 * Ends what a server that was killed left running: installs, gates, builds. They carry `SLUICE_JOB=HOME:…` in their
 * environment (proc(5), /proc/PID/environ). Answers how many there were.
 */
export async function endLeftoverJobs(home: string): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.split("\0").some((variable) => variable.startsWith(`SLUICE_JOB=${home}:`));
    }),
  );
  const left = pids.filter((_, index) => marked[index]).map(Number);
  for (const pid of left) end(pid);
  return left.length;
}

function end(pid: number): void {
  endGroup(pid, "SIGKILL");
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
