import { readFile } from "node:fs/promises";

/** The most memory that a process has ever had, in MB (proc(5), VmHWM). */
export async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) / 1024;
}
