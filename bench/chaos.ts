import { chaos as runChaos } from "../test/chaos/chaos.js";
import type { Bench } from "./bench.js";

const SECONDS = 600;
const QUICK_SECONDS = 60;

/** Ten minutes: measured when it is named, not with the others. */
export const chaos: Bench = {
  name: "chaos",
  title: "random kills and lost answers under visitors and pushes",
  limitSeconds: SECONDS + 300,
  run: async ({ quick, figure, note }) => {
    const seed = Number(process.env["SLUICE_CHAOS_SEED"] ?? Date.now() % 100_000);
    const report = await runChaos({ seconds: quick ? QUICK_SECONDS : SECONDS, seed, say: note });
    for (const problem of report.problems) note(`! ${problem}`);
    for (const [name, times] of report.disruptions)
      figure({ name, value: times, unit: "times", method: `At random moments, seed ${seed}.` });
    figure({
      name: "pushes",
      value: report.pushes,
      unit: "",
      spread: `${report.accepted} accepted`,
      method: "To two apps all the time: master, a preview, and releases that cannot start.",
    });
    figure({
      name: "requests that failed with what they were open on",
      value: report.excused,
      unit: "",
      spread: `of ${report.requests}`,
      method: "Visitors at 100/s; an instance or HAProxy was killed while the request was open.",
    });
    figure({
      name: "what must not have happened",
      value: report.problems.length,
      unit: "",
      aim: { atMost: 0 },
      method:
        "Other requests that failed; branches that are not what serves; unfinished releases; instances, servers, trees and processes left over.",
    });
  },
};
