import { RouteTables } from "../core/records/routes/route-tables.js";
import type { RoutedRelease, RouteTable } from "../core/records/routes/route-table.js";
import type { CanarySummary } from "../core/api/apps/canary.js";
import type { VerdictNumbers } from "../server/canary/statistics/verdict-numbers.js";
import { eventually } from "../test/support/eventually.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import { tinyApp } from "../test/support/git/tiny-app.js";
import type { Bench, BenchRun } from "./bench.js";
import { isFailed, type Answer } from "./load/answer.js";
import { Load } from "./load/load.js";
import { recordsOf } from "./machine/records.js";
import { wallClock } from "./machine/wall-clock.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { echoApp } from "./pushed/echo-app.js";
import { median, quantile } from "./statistics.js";

const PER_SECOND = 200;
const BAD_SHARE = 0.05;
const ABORT_TIMEOUT_MS = 90_000;
const ASLEEP = 200;
const QUIET_MS = 5000;

export const tracks: Bench = {
  name: "tracks",
  title: "a bad canary, an alert, previews that sleep",
  limitSeconds: 170,
  run: async (bench) => {
    const sluice = await bench.workshop.sluice();
    await badCanary(bench, sluice);
    await alert(bench, sluice, bench.quick ? 2 : 10);
    await sleepingPreviews(bench, sluice, bench.quick ? 1 : 5);
  },
};

async function badCanary(bench: BenchRun, sluice: TestSluice): Promise<void> {
  const app = "bad";
  const clone = await sluice.clone(app, server(0));
  await pushApp(clone);
  const load = await loadOf(bench, sluice, app);
  await clone.commit(server(BAD_SHARE));
  const { status, output } = await clone.push("HEAD:staging");
  if (status !== 0) throw new Error(output);
  const summary = await eventually(
    "the canary is gone",
    async () => {
      const now = await sluice.read<CanarySummary>(`apps/${app}/canary`);
      return now.state === "aborted" && now;
    },
    ABORT_TIMEOUT_MS,
  );
  await load.stop();
  const { canary } = summary.verdict?.numbers as VerdictNumbers;
  const seconds = (Date.parse(summary.verdict?.at ?? "") - Date.parse(summary.startedAt)) / 1000;
  const setting = `A canary at 30 % of ${PER_SECOND} requests/s (each a new visitor) that answers 500 to ${BAD_SHARE * 100} % of them, production to none`;
  bench.figure({
    name: "a bad canary: its requests until it is gone",
    value: canary.requests,
    unit: "",
    spread: `${canary.errors} of them failed`,
    method: `${setting}: requests that the deciding verdict saw.`,
  });
  bench.figure({
    name: "a bad canary: seconds until it is gone",
    value: seconds,
    unit: "s",
    method: "From the first look at it to that verdict; the canary is looked at once a second.",
  });
}

async function alert(bench: BenchRun, sluice: TestSluice, rounds: number): Promise<void> {
  const app = "alerted";
  const clone = await sluice.clone(app, echoApp({ "app.json": `{"sluice": {"canary": {"share": 100}}}` }));
  await pushApp(clone);
  await clone.commit({ "note.txt": "canary" });
  if ((await clone.push("HEAD:staging")).status !== 0) throw new Error("the canary was declined");
  const redis = await recordsOf(bench.workshop, sluice);
  const load = await loadOf(bench, sluice, app);
  const setAt: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await pause(500);
    setAt.push(wallClock());
    await redis.set("sluice:alert", "yes");
    await pause(500);
    await redis.set("sluice:alert", "no");
  }
  const answers = await load.stop();
  const lasts = setAt.map((at) => {
    const after = answers.filter((answer) => answer.at >= at && answer.at < at + 400);
    return Math.max(0, ...after.filter(({ release }) => release === 2).map((answer) => answer.at - at));
  });
  bench.figure({
    name: "alert key → last new request on the canary",
    value: median(lasts),
    unit: "ms",
    aim: { atMost: 100 },
    spread: `at most ${Math.max(...lasts).toFixed(1)} ms`,
    method: `Median of ${rounds}: from \`SET sluice:alert yes\` to when the last request was due that the canary answered, at ${PER_SECOND}/s, all of them its own before.`,
  });
  bench.figure({
    name: "alerts: failed requests",
    value: answers.filter(isFailed).length,
    unit: "",
    aim: { atMost: 0 },
    method: `Of ${answers.length}, while the key was set and unset ${rounds} times.`,
  });
}

async function sleepingPreviews(bench: BenchRun, sluice: TestSluice, wakes: number): Promise<void> {
  const app = "sleepy";
  const settings = JSON.stringify({ sluice: { previews: { sleepSeconds: 1 } } });
  const clone = await sluice.clone(app, echoApp({ "app.json": settings }));
  await pushApp(clone);
  const instances = async (): Promise<number> => (await sluice.instances()).length;
  const [processesBefore, before] = [await instances(), await quietLoad(bench, sluice, app)];
  const redis = await recordsOf(bench.workshop, sluice);
  await new RouteTables(redis).update(app, withSleeping);
  await eventually("they are known", async () => (await sluice.get(`p1.${app}`)).status !== 404);
  await pause(1000);
  const after = await quietLoad(bench, sluice, app);
  const p50 = (answers: readonly Answer[]): number =>
    quantile(
      answers.map(({ ms }) => ms),
      0.5,
    );
  bench.figure({
    name: `${ASLEEP} sleeping previews: p50 of production with them / without`,
    value: p50(after) / p50(before),
    unit: "×",
    spread: `${p50(before).toFixed(2)} ms without, ${p50(after).toFixed(2)} ms with`,
    method: `${PER_SECOND} requests/s for ${QUIET_MS / 1000} s each; the previews are entries of the route table, as a push and its sleep leave them.`,
  });
  bench.figure({
    name: `${ASLEEP} sleeping previews: processes`,
    value: (await instances()) - processesBefore,
    unit: "",
    aim: { atMost: 0 },
    method: "Instances more than before.",
  });
  await clone.commit({ "note.txt": "preview" });
  if ((await clone.push("HEAD:feature")).status !== 0) throw new Error("the preview was declined");
  const waits: number[] = [];
  for (let wake = 0; wake < wakes; wake++) {
    await eventually("the preview sleeps", async () => (await instances()) === processesBefore, 30_000);
    await pause(200);
    const began = wallClock();
    const { status } = await sluice.get(`feature.${app}`);
    if (status !== 200) throw new Error(`the preview answers with status ${status}`);
    waits.push(wallClock() - began);
  }
  bench.figure({
    name: "a sleeping preview: its first answer",
    value: median(waits),
    unit: "ms",
    spread: `at most ${Math.max(...waits).toFixed(0)} ms`,
    method: `Median of ${wakes}: a GET that wakes it, with the start and the health check of a small Node.js app.`,
  });
}

async function quietLoad(bench: BenchRun, sluice: TestSluice, app: string): Promise<Answer[]> {
  const load = await loadOf(bench, sluice, app);
  await pause(QUIET_MS);
  return load.stop();
}

async function loadOf(bench: BenchRun, sluice: TestSluice, app: string): Promise<Load> {
  const host = `${app}.localhost`;
  return Load.start(bench.workshop, { port: sluice.httpPort, host, perSecond: PER_SECOND });
}

/** Numbers far from those of real releases. */
function withSleeping(table: RouteTable): RouteTable {
  const names = Array.from({ length: ASLEEP }, (_, index) => `p${index + 1}`);
  const releases = names.map((track, index): RoutedRelease => ({
    number: 100_000 + index,
    track,
    servers: [],
    sticky: false,
    drainSeconds: 900,
    standbySeconds: 0,
    sessionIdleSeconds: 900,
    asleep: true,
    sleepSeconds: 1800,
    expireSeconds: 0,
    since: Date.now(),
  }));
  const asleep = Object.fromEntries(releases.map(({ track, number }) => [track, number]));
  return { ...table, tracks: { ...table.tracks, ...asleep }, releases: [...table.releases, ...releases] };
}

/** The tiny app, but so many of its answers are 500. */
function server(badShare: number): Record<string, string> {
  return tinyApp({
    "server.js": `
const { RELEASE, DYNO, PORT } = process.env;
require("node:http").createServer((request, response) => {
  if (Math.random() < ${badShare}) response.statusCode = 500;
  response.end(RELEASE + " " + DYNO);
}).listen(PORT, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`,
  });
}
