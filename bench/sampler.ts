import { join } from "node:path";
import { serviceState } from "../core/exec/runsv.js";
import type { Bench, BenchRun } from "./bench.js";
import { fineProcessorMs, memoryOf } from "./machine/processes.js";
import { pause } from "./pause.js";
import { monit } from "./rivals/monit.js";
import { nodeExporter } from "./rivals/node-exporter.js";

interface Watcher {
  readonly name: string;
  readonly pid: number;
  readonly does: string;
  readonly isSampler?: boolean;
}

const SETTLE_MS = 5000;

export const sampler: Bench = {
  name: "sampler",
  title: "what it costs to watch a machine once a second",
  limitSeconds: 660,
  run: async (bench) => {
    const { workshop, quick } = bench;
    const sluice = await workshop.sluice({ monitor: {} }, "--roles", "monitor");
    const { pid: redis = 0 } = await serviceState(join(sluice.home, "services", "redis"));
    const watchers: Watcher[] = [
      {
        name: "Sluice's monitor role",
        pid: await sluice.pid(),
        does: "samples, writes each to Redis, adds up minutes and looks at the rules",
        isSampler: true,
      },
      { name: "Redis beside it", pid: redis, does: "keeps the samples, each synced to disk" },
      {
        name: "node-exporter",
        pid: await nodeExporter(workshop),
        does: "answers a read of all its figures a second, keeps nothing",
      },
      {
        name: "monit",
        pid: await monit(workshop),
        does: "looks at the machine and a file system once a second, keeps nothing",
      },
    ];
    await pause(SETTLE_MS);
    const seconds = quick ? 10 : 600;
    const before = await Promise.all(watchers.map(async ({ pid }) => fineProcessorMs([pid])));
    await pause(seconds * 1000);
    const after = await Promise.all(watchers.map(async ({ pid }) => fineProcessorMs([pid])));
    for (const [index, watcher] of watchers.entries())
      await tell(bench, watcher, ((after[index] ?? 0) - (before[index] ?? 0)) / 1000, seconds);
  },
};

async function tell(
  { figure }: BenchRun,
  { name, pid, does, isSampler }: Watcher,
  used: number,
  seconds: number,
): Promise<void> {
  figure({
    name: `${name}, processor`,
    value: (used / seconds) * 100,
    unit: "% of a core",
    ...(isSampler ? { aim: { atMost: 0.5 } } : {}),
    spread: `${used.toFixed(2)} s`,
    method: `Processor time of its process over ${seconds} s, all at the same time: ${does}.`,
  });
  figure({
    name: `${name}, resident`,
    value: (await memoryOf(pid)).residentMegabytes,
    unit: "MB",
    method: "VmRSS at the end.",
  });
}
