import { cpus, totalmem } from "node:os";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { alerts } from "./alerts.js";
import { apps } from "./apps.js";
import { autoscaler } from "./autoscaler.js";
import type { Bench } from "./bench.js";
import { canary } from "./canary/canary.js";
import { chaos } from "./chaos.js";
import type { Figure } from "./figure.js";
import { flags } from "./flags.js";
import { flat } from "./flat.js";
import { memory } from "./memory.js";
import { neighbours } from "./neighbours.js";
import { push } from "./push.js";
import { recovery } from "./recovery.js";
import { releases } from "./releases.js";
import { figureLines, jsonText, tableText, type BenchResult } from "./report.js";
import { sampler } from "./sampler.js";
import { sandbox } from "./sandbox.js";
import { scale } from "./scale.js";
import { throughput } from "./throughput.js";
import { tls } from "./tls.js";
import { swarm } from "./swarm.js";
import { tracks } from "./tracks.js";
import { webhooks } from "./webhooks.js";
import { Workshop } from "./workshop.js";

const BENCHES: readonly Bench[] = [
  push,
  releases,
  throughput,
  tls,
  memory,
  recovery,
  apps,
  flat,
  canary,
  tracks,
  flags,
  webhooks,
  alerts,
  sampler,
  sandbox,
  scale,
  autoscaler,
];
/** Measured only when they are named. */
const LONG: readonly Bench[] = [chaos, neighbours, swarm];
const USAGE = `bin/bench [--quick] [--json FILE] [${[...BENCHES, ...LONG].map(({ name }) => name).join("|")} …]`;

let workshop = new Workshop();
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    // A second one must not cut the cleaning up short.
    process.on(signal, () => undefined);
    interruption.abort();
    print(`\n${signal}: cleaning up`);
    void workshop.close().then(() => process.exit(130));
  });
}

const { quick, json, benches } = readArguments();
const machine = {
  cpus: cpus().length,
  model: cpus()[0]?.model ?? "unknown",
  memoryMegabytes: Math.round(totalmem() / 1024 / 1024),
  node: process.version,
  at: new Date().toISOString(),
  quick,
};
print(
  `Measuring on ${machine.cpus} × ${machine.model}, Node.js ${machine.node}${quick ? ", a quick try" : ""}`,
);
const results: BenchResult[] = [];
for (const bench of benches) {
  results.push(await measure(bench));
  if (interruption.signal.aborted) process.exit(130);
}
print(`\n${tableText(results)}`);
if (json !== undefined) await writeFile(json, jsonText(machine, results));
process.exit(results.some(({ failure }) => failure !== undefined) ? 1 : 0);

async function measure(bench: Bench): Promise<BenchResult> {
  print(`\n-----> ${bench.name}: ${bench.title}`);
  const figures: Figure[] = [];
  const notes: string[] = [];
  const began = performance.now();
  workshop = new Workshop();
  const timeLimit = new AbortController();
  let failure: string | undefined;
  try {
    const figure = (each: Figure): void => {
      figures.push(each);
      print(figureLines(each));
    };
    const note = (text: string): void => {
      notes.push(text);
      print(`  · ${text}`);
    };
    await Promise.race([
      bench.run({ workshop, quick, figure, note }),
      expiry(bench.limitSeconds, timeLimit.signal),
    ]);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
    if (!interruption.signal.aborted)
      print(` !     ${error instanceof Error ? (error.stack ?? error.message) : failure}`);
  } finally {
    timeLimit.abort();
    await workshop.close();
  }
  print(`       ${((performance.now() - began) / 1000).toFixed(0)} s`);
  return { bench: bench.name, figures, notes, ...(failure === undefined ? {} : { failure }) };
}

async function expiry(seconds: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`it took more than ${seconds} s`)), seconds * 1000);
    signal.addEventListener("abort", () => clearTimeout(timer));
  });
}

function readArguments(): { quick: boolean; json: string | undefined; benches: readonly Bench[] } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { quick: { type: "boolean", default: false }, json: { type: "string" } },
    });
    const unknown = positionals.filter((name) => ![...BENCHES, ...LONG].some((bench) => bench.name === name));
    if (unknown.length > 0) throw new Error(`there is no bench named ${unknown.join(", ")}`);
    const benches =
      positionals.length === 0
        ? BENCHES
        : [...BENCHES, ...LONG].filter(({ name }) => positionals.includes(name));
    return { quick: values.quick, json: values.json, benches };
  } catch (error) {
    process.stderr.write(` !     ${error instanceof Error ? error.message : String(error)}\n ${USAGE}\n`);
    return process.exit(2);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
