import { count } from "./fields.js";

export interface ProcessStat {
  readonly group: number;
  /** User and system, with those of its children that have ended and were waited for. */
  readonly ticks: number;
  readonly residentPages: number;
}

/** From the state to the resident pages. */
const FIELDS = 22;

/** proc(5), /proc/PID/stat: `pid (name) state ppid pgrp …`; the name may hold blanks, brackets and line ends. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const end = text.lastIndexOf(") ");
  if (end < 0) return undefined;
  const fields = text.slice(end + 2).split(" ", FIELDS);
  const group = count(fields[2]);
  // utime, stime, cutime, cstime
  const [ticks, residentPages] = [fields.slice(11, 15).map(count), count(fields[21])];
  if (group === undefined || residentPages === undefined || ticks.length < 4) return undefined;
  return { group, ticks: ticks.reduce<number>((sum, each) => sum + (each ?? 0), 0), residentPages };
}
