import { Home } from "../core/home.js";
import { serviceState } from "../core/exec/runsv.js";
import { eventually } from "../test/support/eventually.js";
import type { TestClone } from "../test/support/git/test-clone.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import type { Figure } from "./figure.js";
import { fineProcessorMs, processTree } from "./machine/processes.js";
import { recordsOf } from "./machine/records.js";
import { stepTimes, type StepTime } from "./machine/server-log.js";
import { wallClock } from "./machine/wall-clock.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { echoApp } from "./pushed/echo-app.js";
import { addFillerApps } from "./pushed/filler-apps.js";
import { fixedAnswer } from "./rivals/nginx.js";
import { median, range, sum } from "./statistics.js";

const APP = "real";
const IDLE_MS = 10_000;
const PAUSE_MS = 300;

/** A Sluice that knows so many apps, one of them real. */
interface Place {
  readonly size: number;
  readonly sluice: TestSluice;
  readonly clone: TestClone;
  /** Of each push, from the start of the git process to its end. */
  readonly pushesMs: number[];
}

export const apps: Bench = {
  name: "apps",
  title: "what a release takes with 1, 100 and 1,000 apps and previews",
  limitSeconds: 120,
  run: async (bench) => {
    const upstream = await fixedAnswer(bench.workshop);
    const places: Place[] = [];
    for (const size of bench.quick ? [1, 100] : [1, 100, 1000])
      places.push(await settle(bench, size, `127.0.0.1:${upstream.port}`));
    (await Promise.all(places.map(idleFigures))).flat().forEach(bench.figure);
    const known = await Promise.all(places.map(async ({ sluice }) => (await stepTimes(sluice, APP)).length));
    // In turns: what disturbs the machine disturbs all sizes alike.
    for (let turn = 0; turn < (bench.quick ? 3 : 12); turn++) {
      for (const place of turn % 2 === 0 ? places : places.toReversed()) {
        await pause(PAUSE_MS);
        await change(place);
      }
    }
    const steps = await Promise.all(
      places.map(async ({ sluice }, index) => (await stepTimes(sluice, APP)).slice(known[index])),
    );
    tell(bench, places, steps);
  },
};

async function settle({ workshop, note }: BenchRun, size: number, address: string): Promise<Place> {
  const sluice = await workshop.sluice();
  const clone = await sluice.clone(APP, echoApp({ "app.json": '{"sluice": {"standbySeconds": 1}}' }));
  await pushApp(clone);
  const began = wallClock();
  await addFillerApps(sluice, await recordsOf(workshop, sluice), size - 1, address);
  if (size > 1) note(`${size} apps were routed after ${((wallClock() - began) / 1000).toFixed(1)} s`);
  const place = { size, sluice, clone, pushesMs: [] };
  // A warm-up.
  await change(place);
  place.pushesMs.length = 0;
  return place;
}

async function change({ clone, pushesMs }: Place): Promise<void> {
  await clone.commit({});
  pushesMs.push(await pushApp(clone));
}

/** The master and its worker, once those from before a reload are gone. */
async function haproxyTree(master: number): Promise<number[]> {
  return eventually("only one worker is left", async () => {
    const tree = await processTree(master);
    return tree.length === 2 && tree;
  });
}

async function idleFigures({ sluice, size }: Place): Promise<Figure[]> {
  const { pid = 0 } = await serviceState(new Home(sluice.home).service("haproxy"));
  const processes = [
    ["HAProxy", await haproxyTree(pid)],
    ["Node server", [await sluice.pid()]],
  ] as const;
  const before = await Promise.all(processes.map(async ([, pids]) => fineProcessorMs(pids)));
  await pause(IDLE_MS);
  const after = await Promise.all(processes.map(async ([, pids]) => fineProcessorMs(pids)));
  return processes.map(([name], index) => ({
    name: `${name}, processor when idle, ${appsText(size)}`,
    value: (((after[index] ?? 0) - (before[index] ?? 0)) / IDLE_MS) * 100,
    unit: "% of a core",
    method: `Over ${IDLE_MS / 1000} s without requests or pushes, all sizes at the same time; HAProxy checks each app's server twice a second.`,
  }));
}

/** `steps`: of each place, those of the pushes that count. */
function tell(
  { figure, note }: BenchRun,
  places: readonly Place[],
  steps: readonly (readonly StepTime[])[],
): void {
  const sums = steps.map(releaseSums);
  places.forEach(({ size, pushesMs }, index) => {
    const each = sums[index] ?? [];
    note(`steps with ${appsText(size)}, medians: ${stepsText(steps[index] ?? [])}`);
    figure({
      name: `a release's steps, ${appsText(size)}`,
      value: median(each),
      unit: "ms",
      spread: range(each, "ms"),
      method: `Sum of the steps of a release of a tiny app by the server's log, median of ${each.length}; a Sluice for each number of apps, pushes in turns; the other apps have a release each that HAProxy routes and checks, all on one nginx, and a sleeping preview each.`,
    });
    figure({
      name: `git push → its end, ${appsText(size)}`,
      value: median(pushesMs),
      unit: "ms",
      spread: range(pushesMs, "ms"),
      method: "The same pushes, from the start of the git process to its end.",
    });
  });
  places.slice(1).forEach(({ size }, index) => {
    const ratios = (sums[index + 1] ?? []).map((ms, turn) => ms / (sums[0]?.[turn] ?? NaN));
    figure({
      name: `a release's steps, ${appsText(size)} / 1 app`,
      value: median(ratios),
      unit: "×",
      aim: { atMost: 1.2 },
      spread: range(ratios, "×"),
      method: "Median of the turns' ratios.",
    });
  });
}

/** Milliseconds of each release, in order. */
function releaseSums(steps: readonly StepTime[]): number[] {
  const releases = [...new Set(steps.map(({ release }) => release))];
  return releases.map((release) => sum(steps.filter((each) => each.release === release).map(({ ms }) => ms)));
}

function stepsText(steps: readonly StepTime[]): string {
  const names = [...new Set(steps.map(({ step }) => step))];
  return names
    .map((name) => `${name} ${median(steps.filter(({ step }) => step === name).map(({ ms }) => ms))} ms`)
    .join(", ");
}

function appsText(size: number): string {
  return size === 1 ? "1 app" : `${size.toLocaleString("en")} apps`;
}
