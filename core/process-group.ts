import { readdir, readFile } from "node:fs/promises";

/** Pids of the processes of a group that live: a zombie does nothing any more, though it may never be buried. */
export async function groupMembers(group: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const isMember = await Promise.all(pids.map(async (pid) => isMemberOf(group, pid)));
  return pids.filter((_, index) => isMember[index]);
}

/** proc(5), /proc/PID/stat: `pid (name) state ppid pgrp …`; the name may hold blanks and brackets. */
async function isMemberOf(group: number, pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(pgrp) === group && state !== "Z" && state !== "X";
}
