import { chown } from "node:fs/promises";
import { outputOf } from "../../core/exec/exec.js";
import { LocalTasks } from "../../server/engines/runit/local-tasks.js";
import type { BenchRun } from "../bench.js";
import { wallClock } from "../machine/wall-clock.js";
import { median, range } from "../statistics.js";
import { bare, openPlace, PATH, USER, type Place } from "./place.js";
import { inTurns, type Way } from "./turns.js";

const TURNS = 60;
const QUICK_TURNS = 10;
const SCRATCH_MEGABYTES = 16;
const PROGRAM = ["/bin/true"] as const;
const BARE = "bare";
const KEPT = "in the sandbox";
const LOST = "in the sandbox, changes lost";
const OWN_NETWORK = "in the sandbox with a network";
const WHOLE = "as a task of the server";

/** Milliseconds from the start of a program that does nothing to its end, and to the end of what was made for it. */
export async function measureTasks({ workshop, quick, figure }: BenchRun): Promise<void> {
  const found = await inTurns(
    await ways(await openPlace(workshop), await workshop.folder()),
    quick ? QUICK_TURNS : TURNS,
  );
  const bareTimes = found.get(BARE) ?? [];
  for (const [name, times] of found)
    figure({
      name: `/bin/true, ${name}`,
      value: median(times),
      unit: "ms",
      spread: range(times, "ms"),
      method: `Median of ${times.length} in turns, from its start to its end. ${METHODS[name] ?? ""}`,
    });
  for (const [name, before, atMost] of [
    [KEPT, BARE, 15],
    [LOST, BARE, undefined],
    [OWN_NETWORK, KEPT, undefined],
    [WHOLE, BARE, undefined],
  ] as const) {
    const extra = (found.get(name) ?? []).map(
      (ms, turn) => ms - ((found.get(before) ?? bareTimes)[turn] ?? NaN),
    );
    figure({
      name: `${name} − ${before}`,
      value: median(extra),
      unit: "ms",
      ...(atMost === undefined ? {} : { aim: { atMost } }),
      spread: range(extra, "ms"),
      method: "Median of the turns' differences.",
    });
  }
}

const METHODS: Readonly<Record<string, string>> = {
  [BARE]: "Started by setpriv as an app's user.",
  [KEPT]: "As installations, gates and builds run: their folder is real.",
  [LOST]: "As release commands and instances run: their folder has a layer in memory.",
  [OWN_NETWORK]: "The network is made before and removed after, which counts.",
  [WHOLE]: "With its network, its control groups and its low priority, by the code that the server runs.",
};

async function ways({ home, sandbox, networks }: Place, folder: string): Promise<Way<number>[]> {
  await chown(folder, USER.uid, USER.gid);
  const tasks = await LocalTasks.open({ home, sandbox, networks, path: PATH });
  const command = (changes: "kept" | "lost", network?: string) =>
    sandbox.command(
      {
        ...{ user: USER, hostname: "bench", mounts: [], scratchMegabytes: SCRATCH_MEGABYTES },
        work: { folder, at: "/app", changes },
        ...(network === undefined ? {} : { network }),
      },
      PROGRAM,
      { diesWithParent: true },
    );
  const run = async (argv: readonly [string, ...string[]]): Promise<unknown> =>
    outputOf({ argv, cwd: "/", env: { PATH } });
  return [
    { name: BARE, measure: async () => timed(async () => run(bare(PROGRAM))) },
    { name: KEPT, measure: async () => timed(async () => run(command("kept"))) },
    { name: LOST, measure: async () => timed(async () => run(command("lost"))) },
    {
      name: OWN_NETWORK,
      measure: async () =>
        timed(async () => {
          const { namespace } = await networks.ensure("bench", "task");
          await run(command("kept", namespace));
          await networks.remove("bench");
        }),
    },
    { name: WHOLE, measure: async () => timed(async () => runTask(tasks, folder)) },
  ];
}

async function runTask(tasks: LocalTasks, folder: string): Promise<void> {
  const end = await tasks.runOnce(
    {
      ...{ app: "bench", release: "v1", changes: "kept", command: PROGRAM[0], env: { PATH }, user: USER },
      artifact: { kind: "tree", folder, at: "/app" },
      limits: { memoryMegabytes: 256, processes: 64, scratchMegabytes: SCRATCH_MEGABYTES },
    },
    { signal: new AbortController().signal, onLine: () => undefined },
  );
  if (end.status !== 0) throw new Error(`the task ended with status ${end.status ?? "unknown"}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = wallClock();
  await work();
  return wallClock() - began;
}
