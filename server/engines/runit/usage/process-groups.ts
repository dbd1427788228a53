import { readdirSync } from "node:fs";
import type { KernelFiles } from "../../../../core/kernel/kernel-files.js";
import { parseProcessStat } from "../../../../core/kernel/process-stat.js";

/** After so many looks every process's group is asked again: it may have moved to another. */
const LOOKS_TRUSTED = 10;

interface Membership {
  readonly group: number;
  /** Seen at two looks: a process often moves to a group of its own right after its start. */
  readonly isSettled: boolean;
}

/** Which processes belong to which process group. Only processes that are new are looked at closely. */
export class ProcessGroups {
  private groups = new Map<number, Membership>();
  private looks = 0;

  constructor(
    private readonly files: KernelFiles,
    private readonly proc: string,
  ) {}

  /** The members of each group now. */
  look(): Map<number, number[]> {
    if (this.looks++ % LOOKS_TRUSTED === 0) this.groups.clear();
    const known = this.groups;
    this.groups = new Map();
    const members = new Map<number, number[]>();
    for (const name of readdirSync(this.proc)) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const before = known.get(pid);
      const group = before?.isSettled ? before.group : this.groupOf(pid);
      if (group === undefined) continue;
      this.groups.set(pid, { group, isSettled: before !== undefined });
      const pids = members.get(group);
      if (pids === undefined) members.set(group, [pid]);
      else pids.push(pid);
    }
    return members;
  }

  private groupOf(pid: number): number | undefined {
    return parseProcessStat(this.files.read(`${this.proc}/${pid}/stat`) ?? "")?.group;
  }
}
