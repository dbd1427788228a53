import type { TestClone } from "../test/support/git/test-clone.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import { stepTimes, type StepTime } from "./machine/server-log.js";
import { wallClock } from "./machine/wall-clock.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { sampleApp } from "./pushed/sample-app.js";
import { median, range, sum } from "./statistics.js";
import { firstAnswerOf } from "./visitors/poller.js";

const APP = "hello";
/** A developer's pause; the server lays a copy of the dependencies ready meanwhile. */
const PAUSE_MS = 1500;

interface PushTime {
  readonly release: string;
  readonly firstAnswerMs: number;
  readonly endMs: number;
}

export const push: Bench = {
  name: "push",
  title: "from git push to the first answer of the new release",
  limitSeconds: 75,
  run: async (bench) => {
    const sluice = await bench.workshop.sluice();
    const clone = await sluice.clone(APP, await sampleApp());
    const warmUp = await timedPush(sluice, clone, 1);
    bench.note(
      `first push of all, dependencies installed: ${(warmUp.endMs / 1000).toFixed(1)} s (a warm-up, not counted)`,
    );
    const times: PushTime[] = [];
    for (let number = 2; number <= (bench.quick ? 4 : 13); number++) {
      await clone.commit({ "note.txt": `change ${number}\n` });
      await pause(PAUSE_MS);
      times.push(await timedPush(sluice, clone, number));
    }
    tellTotals(bench, times);
    tellSteps(bench, times, await stepTimes(sluice, APP));
  },
};

async function timedPush(sluice: TestSluice, clone: TestClone, number: number): Promise<PushTime> {
  const release = `v${number}`;
  const first = firstAnswerOf(release, sluice.httpPort, `${APP}.localhost`);
  // Told by the push's own failure, if it fails.
  first.catch(() => undefined);
  const began = wallClock();
  const endMs = await pushApp(clone);
  return { release, firstAnswerMs: (await first) - began, endMs };
}

function tellTotals({ figure }: BenchRun, times: readonly PushTime[]): void {
  const firsts = times.map(({ firstAnswerMs }) => firstAnswerMs);
  const ends = times.map(({ endMs }) => endMs);
  figure({
    name: "git push → first answer of the new release",
    value: median(firsts),
    unit: "ms",
    aim: { atMost: 1000 },
    spread: range(firsts, "ms"),
    method: `Median of ${times.length} pushes of the sample app (gates off, dependencies unchanged), from the start of the git process to the first answer with the new sluice-release, asked every 3 ms over a kept connection.`,
  });
  figure({
    name: "git push → its end",
    value: median(ends),
    unit: "ms",
    spread: range(ends, "ms"),
    method: "The same pushes, to the end of the git process.",
  });
}

function tellSteps({ figure }: BenchRun, times: readonly PushTime[], steps: readonly StepTime[]): void {
  const counted = new Set(times.map(({ release }) => release));
  const measured = steps.filter(({ release }) => counted.has(release));
  for (const step of new Set(measured.map((each) => each.step))) {
    figure({
      name: `step ${step}`,
      value: median(measured.filter((each) => each.step === step).map(({ ms }) => ms)),
      unit: "ms",
      method: "Median over the same pushes, by the server's log.",
    });
  }
  const remainders = times.map(
    ({ release, endMs }) =>
      endMs - sum(measured.filter((each) => each.release === release).map(({ ms }) => ms)),
  );
  figure({
    name: "git's own share",
    value: median(remainders),
    unit: "ms",
    spread: range(remainders, "ms"),
    method:
      "Median of what remains of a push when the steps are taken off: git's processes, HTTP, hooks, and what the server does between steps.",
  });
}
