import { constants } from "node:fs";
import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CGROUPS, type GroupKind } from "../../../../core/instances/control-group.js";

export interface Limits {
  readonly memoryMegabytes: number;
  /** Processes and threads. */
  readonly processes: number;
}

/** What stands in a control group's file: the kernel takes the value at once. */
export type Values = Readonly<Record<string, string>>;

/** One hierarchy of control groups. */
export interface Hierarchy {
  readonly mount: string;
  readonly limits: (limits: Limits) => Values;
  /** Of the group in which all of a kind lie. */
  readonly ofKind: Values;
  /** The file that counts processes ended for want of memory, if it does. */
  readonly kills: string;
}

/**
 * Those that this user may write in. The first one tells which processes there are. All instances together weigh twice as much
 * as another program of the machine, all tasks together half as much.
 */
export async function hierarchiesFor(kind: GroupKind): Promise<Hierarchy[]> {
  const isTask = kind === "sluice-tasks";
  if (await hasUnified()) {
    const weight = { "cpu.weight": isTask ? "50" : "200" };
    return [
      {
        mount: CGROUPS,
        limits: ({ memoryMegabytes, processes }) => ({
          "memory.max": bytes(memoryMegabytes),
          // Swapping would only put off the end.
          "memory.swap.max": "0",
          "pids.max": String(processes),
        }),
        ofKind: { "cgroup.subtree_control": "+memory +pids +cpu", ...weight },
        kills: "memory.events.local",
      },
    ];
  }
  const kills = "memory.oom_control";
  const all: Hierarchy[] = [
    {
      ...{ mount: join(CGROUPS, "memory"), ofKind: {}, kills },
      limits: ({ memoryMegabytes }) => ({ "memory.limit_in_bytes": bytes(memoryMegabytes) }),
    },
    {
      ...{ mount: join(CGROUPS, "pids"), ofKind: {}, kills },
      limits: ({ processes }) => ({ "pids.max": String(processes) }),
    },
  ];
  // Without a group here each session of an instance would have the share of a whole program (sched_autogroup, sched(7)).
  const shares = { "cpu.shares": isTask ? "512" : "2048" };
  all.push({ mount: join(CGROUPS, "cpu"), ofKind: shares, kills, limits: () => ({}) });
  const found: Hierarchy[] = [];
  for (const hierarchy of all) if (await isWritable(hierarchy.mount)) found.push(hierarchy);
  return found[0]?.mount === join(CGROUPS, "memory") ? found : [];
}

/** Version 2 with what is needed of it, handed down to groups below the top. */
async function hasUnified(): Promise<boolean> {
  const controllers = await readFile(join(CGROUPS, "cgroup.controllers"), "utf8").catch(() => "");
  const has = new Set(controllers.trim().split(/\s+/));
  if (!["memory", "pids", "cpu"].every((name) => has.has(name)) || !(await isWritable(CGROUPS))) return false;
  await writeFile(join(CGROUPS, "cgroup.subtree_control"), "+memory +pids +cpu");
  return true;
}

function bytes(megabytes: number): string {
  return String(megabytes * 1024 * 1024);
}

async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}
