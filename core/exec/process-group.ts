import { readdir, readFile } from "node:fs/promises";
import { systemClock } from "../clock.js";
import { eachProcess, processFile } from "./each-process.js";
import { endGroup } from "./exec.js";

const POLL_MS = 10;
/** After a look at every process there is none for so many times as long as it took: at most a fifth of a processor goes there. */
const REST = 4;

/** Pids of the processes of a group that live: a zombie does nothing any more, though it may never be buried. */
export async function groupMembers(group: number): Promise<readonly number[]> {
  return (await look()).get(group) ?? [];
}

/** Resolves when no process of a group lives. From `killAt` on (ms since 1970) those that do are killed. */
export async function groupEnd(group: number, killAt: number): Promise<void> {
  let members: readonly number[] = [];
  while (mayHaveMembers(group)) {
    members = members.filter((pid) => groupOf(processFile(pid, "stat")) === group);
    if (members.length === 0) members = await groupMembers(group);
    if (members.length === 0) return;
    if (Date.now() >= killAt) endGroup(group, "SIGKILL");
    await systemClock.sleep(POLL_MS);
  }
}

/**
 * A process and all that descend from it without a gap, in whatever group they are: those whose parent has ended are
 * missing. Where the kernel does not tell (CONFIG_PROC_CHILDREN, proc(5)) the process alone.
 */
export async function processFamily(pid: number): Promise<number[]> {
  const family = [pid];
  for (const member of family) family.push(...(await childrenOf(member)));
  return family;
}

/** kill(2): a zombie still counts. */
function mayHaveMembers(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** Each thread has its own. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(
    threads.map(async (thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")),
  );
  return children.flatMap((text) => text.split(" ").filter(Boolean).map(Number));
}

type Groups = ReadonlyMap<number, readonly number[]>;

/** The machine has one /proc, so all of this process share the looks at it. */
const looks: { present: Promise<unknown>; next: Promise<Groups> | undefined } = {
  present: Promise.resolve(),
  next: undefined,
};

/** The living members of every group, at a moment after this was called. A call during a scan gets the result of the next one. */
async function look(): Promise<Groups> {
  return (looks.next ??= looks.present.then(async () => {
    looks.next = undefined;
    const began = performance.now();
    const groups = readGroups();
    looks.present = groups.then(
      async () => systemClock.sleep(REST * (performance.now() - began)),
      () => undefined,
    );
    return groups;
  }));
}

async function readGroups(): Promise<Groups> {
  const groups = new Map<number, number[]>();
  await eachProcess("stat", (pid, text) => {
    const group = groupOf(text);
    if (group === undefined) return;
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [pid]);
    else members.push(pid);
  });
  return groups;
}

/** proc(5), /proc/PID/stat: `pid (name) state ppid pgrp …`; the name may hold blanks and brackets. Undefined for a zombie. */
function groupOf(stat: string | undefined): number | undefined {
  if (stat === undefined) return undefined;
  const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
  return state === "Z" || state === "X" ? undefined : Number(group);
}
