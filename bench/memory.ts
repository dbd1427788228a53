import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { serviceState } from "../core/exec/runsv.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import {
  memoryOf,
  parentOf,
  fineProcessorMs,
  processTree,
  programOf,
  type Memory,
} from "./machine/processes.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { sampleApp } from "./pushed/sample-app.js";
import { sum } from "./statistics.js";

const SETTLE_MS = 10_000;

interface Role {
  readonly name: string;
  readonly pids: readonly number[];
  readonly aimMegabytes?: number;
}

export const memory: Bench = {
  name: "memory",
  title: "what Sluice takes when nothing happens",
  limitSeconds: 75,
  run: async (bench) => {
    const sluice = await bench.workshop.sluice();
    const clone = await sluice.clone("hello", await sampleApp());
    await pushApp(clone);
    const settleMs = bench.quick ? SETTLE_MS / 5 : SETTLE_MS;
    await pause(settleMs);
    const roles = await rolesOf(sluice);
    for (const role of roles) tellMemory(bench, role, await Promise.all(role.pids.map(memoryOf)), settleMs);
    const idleMs = bench.quick ? 5000 : 20_000;
    const before = await Promise.all(roles.map(async ({ pids }) => fineProcessorMs(pids)));
    await pause(idleMs);
    const after = await Promise.all(roles.map(async ({ pids }) => fineProcessorMs(pids)));
    roles.forEach((role, index) =>
      bench.figure({
        name: `${role.name}, processor when idle`,
        value: (((after[index] ?? 0) - (before[index] ?? 0)) / idleMs) * 100,
        unit: "% of a core",
        method: `Processor time in ${idleMs / 1000} s without requests or pushes (/proc/PID/task/*/schedstat).`,
      }),
    );
  },
};

async function rolesOf(sluice: TestSluice): Promise<Role[]> {
  const services = await readdir(join(sluice.home, "services"));
  const service = async (name: string): Promise<number> =>
    (await serviceState(join(sluice.home, "services", name))).pid ?? 0;
  const [haproxyMaster = 0, ...haproxyWorkers] = await processTree(await service("haproxy"));
  const instances = (await sluice.instances()).map(async (id) => processTree(await service(id)));
  return [
    { name: "Node server", pids: [await sluice.pid()], aimMegabytes: 120 },
    { name: "HAProxy, master", pids: [haproxyMaster] },
    { name: "HAProxy, worker", pids: haproxyWorkers },
    { name: "Redis", pids: [await service("redis")] },
    { name: `runsv and svlogd of ${services.length} services`, pids: await supervisors(sluice) },
    { name: "the sample app's instance", pids: (await Promise.all(instances)).flat() },
  ];
}

/** `runsv` is the parent of its service and of the service's `svlogd`. */
async function supervisors(sluice: TestSluice): Promise<number[]> {
  const services = join(sluice.home, "services");
  const found: number[] = [];
  for (const name of await readdir(services)) {
    const { pid } = await serviceState(join(services, name));
    if (pid === undefined) continue;
    const parent = await parentOf(pid);
    for (const member of await processTree(parent)) {
      if (["runsv", "svlogd"].includes(await programOf(member))) found.push(member);
    }
  }
  return found;
}

function tellMemory({ figure }: BenchRun, role: Role, memories: readonly Memory[], settleMs: number): void {
  const proportional = memories.flatMap(({ proportionalMegabytes }) => proportionalMegabytes ?? []);
  const each = role.pids.length === 1 ? "" : `, ${role.pids.length} processes together`;
  figure({
    name: `${role.name}, resident`,
    value: sum(memories.map(({ residentMegabytes }) => residentMegabytes)),
    unit: "MB",
    ...(role.aimMegabytes === undefined ? {} : { aim: { atMost: role.aimMegabytes } }),
    ...(proportional.length === memories.length
      ? { spread: `proportional set size ${sum(proportional).toFixed(1)} MB` }
      : {}),
    method: `VmRSS (and Pss) ${settleMs / 1000} s after the sample app's first release${each}.`,
  });
}
