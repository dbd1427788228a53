import { eachProcess } from "../../core/exec/each-process.js";
import { endGroup } from "../../core/exec/exec.js";

/**
 * Ends what a server that was killed left running: installs, gates, builds. They carry `SLUICE_JOB=HOME:…` in their
 * environment (proc(5), /proc/PID/environ). Answers how many there were.
 */
export async function endLeftoverJobs(home: string): Promise<number> {
  const mark = `SLUICE_JOB=${home}:`;
  const left: number[] = [];
  await eachProcess("environ", (pid, environment) => {
    const isMarked = environment.split("\0").some((variable) => variable.startsWith(mark));
    if (isMarked && pid !== process.pid) left.push(pid);
  });
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
