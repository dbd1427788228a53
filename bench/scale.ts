import { cpus } from "node:os";
import type { ScaleSettings } from "../core/records/releases/scale-settings.js";
import type { ScaleSummary } from "../core/api/apps/scale.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import { watchSteal } from "./machine/steal.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { wrk, type WrkResult } from "./rivals/wrk.js";
import { median, sum } from "./statistics.js";

const APP = "busy";
const SLICE_SECONDS = 2;
const UP_LIMIT_MS = 30_000;
const DOWN_LIMIT_MS = 40_000;
const POLL_MS = 500;
/** Between the requests of the calm time. */
const CALM_MS = 100;

export const scale: Bench = {
  name: "scale",
  title: "production follows the load",
  limitSeconds: 150,
  run: realLoad,
};

/** As many as the machine has processors; a short cooldown, so that it comes down within the bench. */
function settingsHere(): ScaleSettings {
  return { min: 1, max: Math.max(2, Math.min(4, cpus().length)), cpuTarget: 40, cooldownSeconds: 5 };
}

/** Throughput of one instance, then of as many as there may be, under the same load; then a calm time. */
async function realLoad({ workshop, figure, note, quick }: BenchRun): Promise<void> {
  const settings = settingsHere();
  const sluice = await workshop.sluice();
  const clone = await sluice.clone(APP, busyApp(settings));
  await pushApp(clone);
  const steal = await watchSteal();
  const began = performance.now();
  const slices: (WrkResult & { readonly before: number; readonly after: number })[] = [];
  let before = await instancesOf(sluice);
  const isFull = (): boolean =>
    slices.filter((slice) => slice.before === settings.max).length >= (quick ? 2 : 4);
  while (!isFull() && performance.now() - began < UP_LIMIT_MS) {
    const result = await wrk(`127.0.0.1:${sluice.httpPort}`, { Host: `${APP}.localhost` }, SLICE_SECONDS);
    const after = await instancesOf(sluice);
    slices.push({ ...result, before, after });
    before = after;
  }
  const calm = await calmDown(sluice);
  note(
    `${((await steal()) * 100).toFixed(1)} % of the machine's time was stolen meanwhile; wrk, the proxy and the instances share its ${cpus().length} processors`,
  );
  const perSecondAt = (count: number): number =>
    median(
      slices
        .filter((slice) => slice.before === count && slice.after === count)
        .map(({ perSecond }) => perSecond),
    );
  const [one, all] = [perSecondAt(settings.min), perSecondAt(settings.max)];
  figure({
    name: `throughput with ${settings.max} instances, by that with one`,
    value: all / one,
    unit: "×",
    spread: `${one.toFixed(0)} and ${all.toFixed(0)} requests/s`,
    method: `An app whose every answer takes a millisecond of CPU, under wrk with 32 connections; medians of slices of ${SLICE_SECONDS} s during which the number of instances did not change.`,
  });
  figure({
    name: `failed requests from 1 to ${settings.max} instances and back to ${calm.instances}`,
    value: sum(slices.map(({ failed }) => failed)) + calm.failed,
    unit: "",
    aim: { atMost: 0 },
    spread: `of ${sum(slices.map(({ requests }) => requests)) + calm.requests}`,
    method: `All of wrk's, and one every ${CALM_MS} ms until there was one instance again (or ${DOWN_LIMIT_MS / 1000} s).`,
  });
  const { decisions } = await summaryOf(sluice);
  for (const { from, to, reason, outcome } of decisions.toReversed())
    note(`${from} → ${to}, ${outcome}: ${reason}`);
}

async function calmDown(
  sluice: TestSluice,
): Promise<{ readonly requests: number; readonly failed: number; readonly instances: number }> {
  const began = performance.now();
  let [requests, failed, askedAt, instances] = [0, 0, 0, Infinity];
  while (instances > 1 && performance.now() - began < DOWN_LIMIT_MS) {
    requests++;
    const answer = await sluice.get(APP).catch(() => ({ status: 0 }));
    if (answer.status !== 200) failed++;
    await pause(CALM_MS);
    if (performance.now() - askedAt < POLL_MS) continue;
    askedAt = performance.now();
    instances = await instancesOf(sluice);
  }
  return { requests, failed, instances };
}

async function instancesOf(sluice: TestSluice): Promise<number> {
  return (await summaryOf(sluice)).processes.find(({ process }) => process === "web")?.quantity ?? 0;
}

/** By HTTP: the command would take a processor away from what is measured. */
async function summaryOf(sluice: TestSluice): Promise<ScaleSummary> {
  const authorization = `Bearer ${await sluice.token()}`;
  const { body } = await sluice.control(`/api/apps/${APP}/scale`, { authorization });
  return JSON.parse(body) as ScaleSummary;
}

function busyApp(settings: ScaleSettings): Record<string, string> {
  return {
    "server.js": `require("node:http").createServer((request, response) => {
  const until = performance.now() + 1;
  while (performance.now() < until);
  response.end("done\\n");
}).listen(process.env.PORT);
process.on("SIGTERM", () => process.exit(0));
`,
    Procfile: "web: node server.js\n",
    "app.json": JSON.stringify({ sluice: { scale: settings } }),
  };
}
