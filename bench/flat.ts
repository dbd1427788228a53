import type { TestClone } from "../test/support/git/test-clone.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import { fineProcessorMs } from "./machine/processes.js";
import { recordsOf } from "./machine/records.js";
import { stepTimes, type StepTime } from "./machine/server-log.js";
import { wallClock } from "./machine/wall-clock.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { echoApp } from "./pushed/echo-app.js";
import { addFillerApps } from "./pushed/filler-apps.js";
import { runFillerInstances } from "./pushed/running-instances.js";
import { fixedAnswer } from "./rivals/nginx.js";
import { median, range, sum } from "./statistics.js";

const APP = "real";
const COUNT = 1000;
const PAUSE_MS = 300;
const SETTLE_MS = 3000;
const IDLE_MS = 10_000;

/** A Sluice, and what pushes to it took. */
interface Place {
  readonly sluice: TestSluice;
  readonly clone: TestClone;
  readonly pushesMs: number[];
  readonly stepsMs: number[];
  readonly steps: StepTime[];
}

export const flat: Bench = {
  name: "flat",
  title: `a release on a machine that runs ${COUNT.toLocaleString("en")} instances`,
  limitSeconds: 240,
  run: async (bench) => {
    const { workshop, quick, note } = bench;
    const count = quick ? COUNT / 10 : COUNT;
    const upstream = await fixedAnswer(workshop);
    const [alone, crowded] = [await settle(workshop), await settle(workshop)];
    await addFillerApps(
      crowded.sluice,
      await recordsOf(workshop, crowded.sluice),
      count,
      `127.0.0.1:${upstream.port}`,
    );
    const idle: number[] = [];
    for (let round = 0; round < (quick ? 1 : 2); round++) {
      await pushes(alone, quick ? 3 : 8);
      const began = wallClock();
      const end = await runFillerInstances(crowded.sluice, count, (endAll) => workshop.onClose(endAll));
      note(`${count} instances were started within ${((wallClock() - began) / 1000).toFixed(1)} s`);
      await pushes(crowded, quick ? 3 : 8);
      idle.push(await idlePercent(crowded.sluice));
      await end();
    }
    tell(bench, alone, crowded, count);
    bench.figure({
      name: `Node server, processor when idle, ${count.toLocaleString("en")} instances`,
      value: median(idle),
      unit: "% of a core",
      spread: range(idle, "%"),
      method: `Over ${IDLE_MS / 1000} s without requests or pushes; the monitor samples each instance once a second.`,
    });
  },
};

async function settle(workshop: BenchRun["workshop"]): Promise<Place> {
  const sluice = await workshop.sluice();
  const clone = await sluice.clone(APP, echoApp({ "app.json": '{"sluice": {"standbySeconds": 1}}' }));
  await pushApp(clone);
  return { sluice, clone, pushesMs: [], stepsMs: [], steps: [] };
}

/** The first is a warm-up. */
async function pushes({ sluice, clone, pushesMs, stepsMs, steps }: Place, count: number): Promise<void> {
  await pause(SETTLE_MS);
  await clone.commit({});
  await pushApp(clone);
  const known = (await stepTimes(sluice, APP)).length;
  for (let push = 0; push < count; push++) {
    await pause(PAUSE_MS);
    await clone.commit({});
    pushesMs.push(await pushApp(clone));
  }
  const fresh = (await stepTimes(sluice, APP)).slice(known);
  steps.push(...fresh);
  for (const release of new Set(fresh.map((step) => step.release)))
    stepsMs.push(sum(fresh.filter((step) => step.release === release).map(({ ms }) => ms)));
}

async function idlePercent(sluice: TestSluice): Promise<number> {
  await pause(SETTLE_MS);
  const pids = [await sluice.pid()];
  const before = await fineProcessorMs(pids);
  await pause(IDLE_MS);
  return (((await fineProcessorMs(pids)) - before) / IDLE_MS) * 100;
}

function tell({ figure, note }: BenchRun, alone: Place, crowded: Place, count: number): void {
  const crowd = `${count.toLocaleString("en")} apps, previews and running instances`;
  for (const [what, { steps }] of [
    ["nothing else", alone],
    [crowd, crowded],
  ] as const)
    note(`steps with ${what}, medians: ${stepsText(steps)}`);
  for (const [name, of] of [
    ["a release's steps", ({ stepsMs }: Place) => stepsMs],
    ["git push → its end", ({ pushesMs }: Place) => pushesMs],
  ] as const) {
    const [without, withThem] = [of(alone), of(crowded)];
    figure({
      name: `${name}, ${crowd} / none`,
      value: median(withThem) / median(without),
      unit: "×",
      aim: { atMost: 1.2 },
      spread: `${median(withThem).toFixed(0)} ms (${range(withThem, "ms")}) / ${median(without).toFixed(0)} ms (${range(without, "ms")})`,
      method: `Medians of ${withThem.length} and ${without.length} pushes of a tiny app, in turns of a machine without and with them; an instance is a process that sleeps, under its runsv with its log as the engine runs it.`,
    });
  }
}

function stepsText(steps: readonly StepTime[]): string {
  const names = [...new Set(steps.map(({ step }) => step))];
  return names
    .map((name) => `${name} ${median(steps.filter(({ step }) => step === name).map(({ ms }) => ms))} ms`)
    .join(", ");
}
