import type { Database } from "../core/redis/database.js";
import { Home } from "../core/home.js";
import { control, isSupervised } from "../core/exec/runsv.js";
import { eventually } from "../test/support/eventually.js";
import type { TestClone } from "../test/support/git/test-clone.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { BenchRun } from "./bench.js";
import { processorMs } from "./machine/processes.js";
import { recordsOf } from "./machine/records.js";
import { wallClock } from "./machine/wall-clock.js";
import { pushApp } from "./push-app.js";
import { echoApp } from "./pushed/echo-app.js";
import { addFillerApps, fillerName } from "./pushed/filler-apps.js";
import { addFillerRecords } from "./pushed/filler-records.js";
import { runFillerInstances } from "./pushed/running-instances.js";
import { fixedAnswer } from "./rivals/nginx.js";
import { median, range } from "./statistics.js";

const APP = "real";
const COUNT = 1000;
const TIMEOUT_MS = 120_000;

/** How long a server that comes back takes, in ms from its start on, and what that costs. */
interface Return {
  readonly answersMs: number;
  readonly pushedMs: number;
  readonly allMs: number;
  readonly redisCommands: number;
  readonly processorMs: number;
}

interface Crowd {
  readonly sluice: TestSluice;
  readonly clone: TestClone;
  readonly redis: Database;
  readonly count: number;
}

/** The server is killed where a thousand apps have an instance each: with them running, and with all of them ended. */
export async function recoverCrowd(bench: BenchRun): Promise<void> {
  const { workshop, quick, note } = bench;
  const count = quick ? COUNT / 10 : COUNT;
  const upstream = await fixedAnswer(workshop);
  const sluice = await workshop.sluice();
  const clone = await sluice.clone(APP, echoApp({ "app.json": '{"sluice": {"standbySeconds": 1}}' }));
  await pushApp(clone);
  const redis = await recordsOf(workshop, sluice);
  await addFillerApps(sluice, redis, count, `127.0.0.1:${upstream.port}`);
  await addFillerRecords(sluice, redis, count);
  workshop.onClose(await runFillerInstances(sluice, count));
  const crowd = { sluice, clone, redis, count };
  const rounds = quick ? 1 : 3;
  const [kept, ended]: [Return[], Return[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await sluice.kill();
    kept.push(await comeBack(crowd));
    await sluice.kill();
    await endInstances(crowd);
    ended.push(await comeBack(crowd));
  }
  const apps = `${count.toLocaleString("en")} apps`;
  note(`the apps have an instance each, a process that sleeps, and a preview that is asleep`);
  tell(bench, `${apps} whose instances run`, kept);
  tell(bench, `${apps} whose instances have ended, too`, ended);
}

/** As after a restart of the machine: nobody supervises their folders. */
async function endInstances({ sluice, count }: Crowd): Promise<void> {
  const home = new Home(sluice.home);
  const folders = Array.from({ length: count }, (_, index) =>
    home.service(`${fillerName(index + 1)}.v1.worker.1`),
  );
  for (const folder of folders) await control(folder, "x");
  for (const folder of folders)
    await eventually("a runsv is gone", async () => !(await isSupervised(folder)), TIMEOUT_MS);
}

async function comeBack(crowd: Crowd): Promise<Return> {
  const { sluice, clone, redis, count } = crowd;
  await clone.commit({});
  const commandsBefore = await commandsOf(redis);
  const beganAt = wallClock();
  const isUp = sluice.up();
  await eventually(
    "the control port answers",
    async () => (await sluice.control("/healthz")).status === 200,
    TIMEOUT_MS,
  );
  const answersMs = wallClock() - beganAt;
  await pushApp(clone);
  const pushedMs = wallClock() - beganAt;
  await isUp;
  await eventually(
    "all apps are recovered",
    async () => ((await sluice.read<{ recovering?: string[] }>("status")).recovering ?? []).length === 0,
    TIMEOUT_MS,
  );
  const allMs = wallClock() - beganAt;
  const home = new Home(sluice.home);
  for (const index of [1, Math.ceil(count / 2), count])
    if (!(await isSupervised(home.service(`${fillerName(index)}.v1.worker.1`))))
      throw new Error(`${fillerName(index)} does not run`);
  return {
    ...{ answersMs, pushedMs, allMs },
    redisCommands: (await commandsOf(redis)) - commandsBefore,
    processorMs: await processorMs([await sluice.pid()]),
  };
}

async function commandsOf(redis: Database): Promise<number> {
  const stats = await redis.info("stats");
  return Number(/^total_commands_processed:(\d+)/m.exec(stats)?.[1]);
}

function tell({ figure }: BenchRun, where: string, returns: readonly Return[]): void {
  const show = (name: string, unit: string, of: (back: Return) => number, method: string): void => {
    const values = returns.map(of);
    figure({
      name: `the Node server killed, ${where}: ${name}`,
      value: median(values),
      unit,
      spread: range(values, unit),
      method,
    });
  };
  const from = "From the call of sluice up";
  show("the control port answers after", "ms", ({ answersMs }) => answersMs, `${from}; asked every 40 ms.`);
  show(
    "a push is live after",
    "ms",
    ({ pushedMs }) => pushedMs,
    `${from}: a push of a tiny app, begun as soon as the control port answers.`,
  );
  show(
    "all apps are recovered after",
    "ms",
    ({ allMs }) => allMs,
    `${from}, until sluice status names none that is being recovered.`,
  );
  show(
    "commands to Redis",
    "",
    ({ redisCommands }) => redisCommands,
    "Until then, of all programs: the proxy's and the monitor's own, the push's and those of scripts are among them.",
  );
  show(
    "processor time of the server",
    "ms",
    ({ processorMs }) => processorMs,
    "Until then, with its start and the push.",
  );
}
