import { wilsonInterval } from "../../server/canary/statistics/interval.js";
import type { Bench, BenchRun } from "../bench.js";
import { seededRandom } from "../seeded-random.js";
import { defects } from "./defects.js";
import { judgeEqual, type EqualCanaries } from "./equal-canaries.js";
import { INTERVALS } from "./goals.js";
import { sluice } from "./judges/sluice.js";
import { sluiceItself } from "./judges/sluice-itself.js";
import { MOST_P99_MS } from "./rivals/flagger.js";
import { BEYOND, SHAPES, type Shape } from "./shapes.js";
import { record } from "./traffic/record.js";
import { Recorder, SECONDS } from "./traffic/recording.js";
import { judgeWorse, type Needed } from "./worse-canaries.js";

const SHARES = [0.3, 0.05];

/** A simulation: what the verdict on canaries is worth, without any requests. */
export const canary: Bench = {
  name: "canary",
  title: "how canaries are judged",
  limitSeconds: 1200,
  run: async (run) => {
    run.note(
      `Kayenta's way: Mann-Whitney on ${Math.floor(SECONDS / 60)} values, one a minute, of error share and p99; 98 % confidence. Flagger's way: 99 % successes and a p99 of ${MOST_P99_MS} ms; five failed checks, one a minute.`,
    );
    tellDifferences(run);
    const equal = new Map<Shape, EqualCanaries>();
    for (const shape of [...SHAPES, ...BEYOND]) {
      const result = await judgeEqual(shape, run.quick ? 20 : 400, seededRandom(1));
      tellEqual(run, shape, result);
      equal.set(shape, result);
    }
    tellIntervals(run, equal);
    for (const share of SHARES) await tellWorse(run, share);
  },
};

function tellDifferences({ figure }: BenchRun): void {
  const [random, recorder] = [seededRandom(3), new Recorder()];
  const tried = SHARES.flatMap((share) => defects(share)).map((defect) => {
    const recording = record(defect, recorder, random);
    return { bench: sluice(recording)?.second ?? Infinity, server: sluiceItself(recording) };
  });
  figure({
    name: "verdicts that are not those of the server's own code",
    value: tried.filter(({ bench, server }) => bench !== server).length,
    unit: "",
    aim: { atMost: 0 },
    method: `Of ${tried.length} canaries, one with each defect and share below, judged both by the statistics alone, as all others are, and by withTraffic and verdictOn: failed in the same second, or never.`,
  });
}

function tellEqual({ figure }: BenchRun, shape: Shape, result: EqualCanaries): void {
  const { canaries, failed, rivals } = result;
  const all = failed.errors + failed.latency;
  const { low, high } = wilsonInterval(all, canaries);
  const others = [...rivals].map(([name, rival]) => `${name} ${percent(rival.failed / rival.canaries)}`);
  figure({
    name: `equal canaries that failed: ${shape.name}`,
    value: (all / canaries) * 100,
    unit: "%",
    ...(BEYOND.includes(shape) ? {} : { aim: { atMost: 2 } }),
    spread: `between ${percent(low)} and ${percent(high)} with 95 % confidence; ${others.join(", ")}`,
    method: `${shape.about}. ${canaries} canaries as good as production with ${percent(shape.share)} of the visitors, ${SECONDS} looks each, one a second. By errors ${failed.errors}, by latency ${failed.latency}.`,
  });
}

function tellIntervals({ figure }: BenchRun, equal: ReadonlyMap<Shape, EqualCanaries>): void {
  for (const [index, { name }] of INTERVALS.entries()) {
    const held = [...equal].map(([shape, result]) => ({ shape, share: result.held[index] ?? 0 }));
    const worst = held.reduce((a, b) => (b.share < a.share ? b : a));
    const mean = held.reduce((sum, { share }) => sum + share / held.length, 0);
    figure({
      name: `A/B intervals that hold ${name}`,
      value: mean * 100,
      unit: "%",
      spread: `least ${percent(worst.share)}: ${worst.shape.name}`,
      method:
        "Mean over all shapes above: 95 % intervals of the share of visitors who reach a goal, 10 %, and of the difference to production's.",
    });
  }
}

async function tellWorse({ quick, figure }: BenchRun, share: number): Promise<void> {
  for (const defect of defects(share)) {
    const result = await judgeWorse(defect, quick ? 20 : 200, seededRandom(2));
    const others = [...result.rivals].map(([name, needed]) => `${name} ${neededText(needed)}`);
    figure({
      name: `found at ${percent(share)}: ${defect.name}`,
      value: result.found.median,
      unit: Number.isFinite(result.found.median) ? "s" : "",
      spread: `90 % within ${count(result.found.most)} s, found ${percent(result.found.share)}; ${count(result.visitors.median)} visitors of the canary, 90 % within ${count(result.visitors.most)}; a test of fixed size needs ${count(result.fixedSize)}; ${others.join(", ")}`,
      method: `Median of ${result.canaries} canaries with ${percent(share)} of the visitors, 30 requests/s, ${SECONDS} s at most. The test of fixed size knows what to look for, looks once, and has 1 % false alarms and 90 % power. Rivals: median.`,
    });
  }
}

function neededText({ median, share }: Needed): string {
  return Number.isFinite(median) ? `${count(median)} s` : `found ${percent(share)}`;
}

function count(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value)) : "more than there were";
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
