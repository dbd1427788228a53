import { join } from "node:path";
import { serviceState } from "../core/exec/runsv.js";
import { eventually } from "../test/support/eventually.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import { recoverCrowd } from "./crowd-recovery.js";
import { isFailed, problemsText, type Answer } from "./load/answer.js";
import { Load } from "./load/load.js";
import { processTree } from "./machine/processes.js";
import { wallClock } from "./machine/wall-clock.js";
import { pause } from "./pause.js";
import { pushApp } from "./push-app.js";
import { echoApp } from "./pushed/echo-app.js";
import type { Workshop } from "./workshop.js";

const PER_SECOND = 200;
const CALM_MS = 2000;
const AFTER_MS = 3000;
const TWO_INSTANCES = '{"formation": {"web": {"quantity": 2}}}';

/** One thing that is killed under load. */
interface Accident {
  readonly name: string;
  readonly app: string;
  /** Kills it; resolves when it is there again. */
  readonly happen: (sluice: TestSluice) => Promise<void>;
  readonly backMeans: string;
  readonly mayFail: boolean;
  readonly backAimMs?: number;
}

const ACCIDENTS: readonly Accident[] = [
  {
    name: "HAProxy",
    app: "one",
    happen: async (sluice) =>
      killService(sluice, "haproxy", async () => (await sluice.get("one")).status === 200),
    backMeans: "another HAProxy answers a request",
    mayFail: true,
    backAimMs: 1000,
  },
  {
    name: "the Node server",
    app: "one",
    happen: async (sluice) => {
      await sluice.kill();
      await sluice.up();
    },
    backMeans: "sluice up, called at once, has returned: all answers",
    mayFail: false,
  },
  {
    name: "Redis",
    app: "one",
    happen: async (sluice) =>
      killService(sluice, "redis", async () => (await sluice.control("/healthz")).status === 200),
    backMeans: "/healthz says that another Redis answers",
    mayFail: false,
  },
  {
    name: "the only instance",
    app: "one",
    happen: async (sluice) =>
      killService(sluice, "one.v1.web.1", async () => (await sluice.get("one")).body === "v1 web.1"),
    backMeans: "another instance answers a request made after its start",
    mayFail: true,
  },
  {
    name: "one of two instances",
    app: "two",
    happen: async (sluice) =>
      killService(sluice, "two.v1.web.1", async () => (await sluice.get("two")).body === "v1 web.1"),
    backMeans: "it answers again",
    mayFail: false,
  },
];

export const recovery: Bench = {
  name: "recovery",
  title: "what is lost when something is killed (kill -9) under load",
  limitSeconds: 540,
  run: async (bench) => {
    const sluice = await bench.workshop.sluice();
    await pushApp(await sluice.clone("one", echoApp()));
    await pushApp(await sluice.clone("two", echoApp({ "app.json": TWO_INSTANCES })));
    for (const accident of ACCIDENTS) await suffer(bench, sluice, accident);
    await recoverCrowd(bench);
  },
};

async function suffer(bench: BenchRun, sluice: TestSluice, accident: Accident): Promise<void> {
  const load = await startLoad(bench.workshop, sluice, accident.app);
  await pause(CALM_MS);
  const killedAt = wallClock();
  await accident.happen(sluice);
  const backMs = wallClock() - killedAt;
  await pause(AFTER_MS);
  const answers = await load.stop();
  tell(bench, accident, { answers, killedAt, backMs });
}

async function startLoad(workshop: Workshop, sluice: TestSluice, app: string): Promise<Load> {
  return Load.start(workshop, { port: sluice.httpPort, host: `${app}.localhost`, perSecond: PER_SECOND });
}

function tell(
  { figure }: BenchRun,
  { name, backMeans, mayFail, backAimMs }: Accident,
  { answers, killedAt, backMs }: { answers: readonly Answer[]; killedAt: number; backMs: number },
): void {
  const failed = answers.filter(isFailed);
  figure({
    name: `${name} killed: failed requests`,
    value: failed.length,
    unit: "",
    ...(mayFail ? {} : { aim: { atMost: 0 } }),
    ...(failed.length === 0 ? {} : { spread: problemsText(failed) }),
    method: `Of ${answers.length} at ${PER_SECOND}/s on a fixed schedule, half over kept connections, from ${CALM_MS / 1000} s before the kill to ${AFTER_MS / 1000} s after all was back; none sent twice by the client.`,
  });
  figure({
    name: `${name} killed: longest time without an answer`,
    value: longestGap(answers, killedAt),
    unit: "ms",
    spread: `slowest answer ${slowest(answers, killedAt).toFixed(0)} ms`,
    method: "The longest time after the kill between two good answers of that load.",
  });
  figure({
    name: `${name} killed: back after`,
    value: backMs,
    unit: "ms",
    ...(backAimMs === undefined ? {} : { aim: { atMost: backAimMs } }),
    method: `From the kill until ${backMeans} (asked every 20 ms).`,
  });
}

function slowest(answers: readonly Answer[], killedAt: number): number {
  const after = answers.filter((answer) => !isFailed(answer) && answer.at + answer.ms >= killedAt);
  return after.reduce((most, { ms }) => Math.max(most, ms), 0);
}

function longestGap(answers: readonly Answer[], killedAt: number): number {
  const ends = answers
    .filter((answer) => !isFailed(answer))
    .map(({ at, ms }) => at + ms)
    .sort((a, b) => a - b);
  return ends.reduce(
    (longest, end, index) => (end < killedAt ? longest : Math.max(longest, end - (ends[index - 1] ?? end))),
    0,
  );
}

/** Kills a service and its children, but not the `runsv` above them; resolves when another process does what `isBack` asks. */
async function killService(sluice: TestSluice, name: string, isBack: () => Promise<boolean>): Promise<void> {
  const folder = join(sluice.home, "services", name);
  const { pid } = await serviceState(folder);
  if (pid === undefined) throw new Error(`${name} does not run`);
  for (const each of await processTree(pid)) process.kill(each, "SIGKILL");
  await eventually(`${name} runs`, async () => ((await serviceState(folder)).pid ?? pid) !== pid);
  await eventually(`${name} answers`, isBack);
}
