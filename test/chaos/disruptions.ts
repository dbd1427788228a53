import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { serviceState } from "../../core/exec/runsv.js";
import { eventually } from "../support/eventually.js";
import { haproxy } from "../support/running/leftovers.js";
import type { TestSluice } from "../support/running/test-sluice.js";
import type { Records } from "./records.js";

export interface World {
  readonly sluice: TestSluice;
  readonly records: Records;
  readonly apps: readonly string[];
  /** 0 to 1, from the run's seed. */
  readonly random: () => number;
}

/** What visitors may notice of a disruption: requests to `app` (undefined: to any) that were open between these times. */
export interface Excuse {
  readonly app: string | undefined;
  /** ms since 1970 */
  readonly from: number;
  readonly until: number;
}

export interface Disruption {
  readonly name: string;
  /** Does it; resolves when it is over, with what visitors may notice. */
  readonly happen: (world: World) => Promise<Excuse | undefined>;
}

/** After a kill, until the kernel has told everybody. */
const NOTICE_MS = 100;
/** Longer than the work of a release may be without its lock. */
const LONGEST_ABSENCE_MS = 20_000;

export const DISRUPTIONS: readonly Disruption[] = [
  {
    name: "the server is killed",
    happen: async ({ sluice, random }) => {
      await sluice.kill();
      await pause(random() * 1500);
      await sluice.up();
      return undefined;
    },
  },
  {
    name: "HAProxy is killed",
    happen: async (world) => killHaproxy(world, ({ master, workers }) => [master, ...workers]),
  },
  {
    name: "a worker of HAProxy is killed",
    happen: async (world) => killHaproxy(world, ({ workers }) => workers.slice(0, 1)),
  },
  {
    name: "Redis is killed",
    happen: async ({ records, random }) => {
      await records.kill();
      await pause(random() * 2000);
      await records.up();
      return undefined;
    },
  },
  {
    name: "Redis is away for longer than a lock lives",
    happen: async ({ records }) => {
      await records.kill();
      await pause(LONGEST_ABSENCE_MS);
      await records.up();
      return undefined;
    },
  },
  {
    name: "Redis' answers are lost",
    happen: async ({ records, random }) => {
      await records.loseAnswers(50 + random() * 1500);
      return undefined;
    },
  },
  { name: "an instance is killed", happen: killInstance },
];

async function killInstance({ sluice, apps, random }: World): Promise<Excuse | undefined> {
  const all = (await sluice.instances()).filter((id) => apps.includes(id.split(".")[0] ?? ""));
  const id = all[Math.floor(random() * all.length)];
  const { pid } = id === undefined ? {} : await serviceState(join(sluice.home, "services", id));
  if (id === undefined || pid === undefined) return undefined;
  const from = Date.now();
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It was just being stopped.
    return undefined;
  }
  return { app: id.split(".")[0], from, until: from + NOTICE_MS };
}

interface HaproxyProcesses {
  readonly master: number;
  readonly workers: readonly number[];
}

async function killHaproxy(
  { sluice }: World,
  choose: (processes: HaproxyProcesses) => readonly number[],
): Promise<Excuse | undefined> {
  const { pid: master } = await serviceState(join(sluice.home, "services/haproxy"));
  if (master === undefined) return undefined;
  const children = await readFile(`/proc/${master}/task/${master}/children`, "utf8");
  const workers = children
    .trim()
    .split(" ")
    .filter((pid) => pid !== "")
    .map(Number);
  const from = Date.now();
  for (const pid of choose({ master, workers })) process.kill(pid, "SIGKILL");
  await eventually("another HAProxy answers", async () => {
    const info = await haproxy(sluice, "show info");
    return !workers.some((pid) => new RegExp(`^Pid: ${pid}$`, "m").test(info)) && info.includes("Pid:");
  });
  return { app: undefined, from, until: Date.now() + NOTICE_MS };
}

async function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
