import { readFile } from "node:fs/promises";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import type { Bench, BenchRun } from "./bench.js";
import { processorMs, processTree } from "./machine/processes.js";
import { instanceAddress, recordsOf } from "./machine/records.js";
import { watchSteal } from "./machine/steal.js";
import { pushApp } from "./push-app.js";
import { fixedAnswerApp } from "./pushed/fixed-answer.js";
import { caddy } from "./rivals/caddy.js";
import { bareHaproxy, threadLines } from "./rivals/haproxy.js";
import { nginx } from "./rivals/nginx.js";
import { nodeProxy } from "./rivals/node.js";
import type { Rival } from "./rivals/rival.js";
import { rotated } from "./rivals/rotated.js";
import { wrk } from "./rivals/wrk.js";
import { median, range, sum } from "./statistics.js";
import type { Workshop } from "./workshop.js";

const APP = "fixed";
const HOST = `${APP}.localhost`;
/** An app with a canary beside production. */
const SPLIT = "split";
const WITH_CANARY = "Sluice with a canary";
const MOST_STEAL = 0.1;
/** With more, the rate says nothing. */
const MOST_FAILED = 0.01;

interface Measured {
  readonly perSecond: number;
  readonly failed: number;
  /** Processor time of the proxy's processes, per request. */
  readonly microseconds: number;
}

/** One measurement of each proxy, by its name. */
type Round = ReadonlyMap<string, Measured>;

export const throughput: Bench = {
  name: "throughput",
  title: "requests/s through Sluice and through others, in turns",
  limitSeconds: 150,
  run: async (bench) => {
    const rivals = await startAll(bench.workshop);
    const { wanted, most, seconds } = bench.quick
      ? { wanted: 2, most: 3, seconds: 1 }
      : { wanted: 7, most: 11, seconds: 2 };
    for (const rival of rivals) await measure(rival, 1);
    const rounds: Round[] = [];
    const stolen: Round[] = [];
    for (let turn = 0; turn < most && rounds.length < wanted; turn++) {
      const { round, steal } = await measureAll(rotated(rivals, turn), seconds);
      (steal > MOST_STEAL ? stolen : rounds).push(round);
    }
    const failed = sum(rounds.flatMap((round) => [...round.values()].map((each) => each.failed)));
    bench.note(
      `${rounds.length} rounds kept, ${stolen.length} discarded because more than ${MOST_STEAL * 100} % of the machine was stolen; ${failed} failed requests in all`,
    );
    if (rounds.length === 0)
      bench.note("no round was free of it: the figures below are from those discarded");
    tell(bench, rivals, rounds.length === 0 ? stolen : rounds, seconds);
  },
};

/** Sluice first, the bare HAProxy second. All have the same upstream: the app's instance. */
async function startAll(workshop: Workshop): Promise<Rival[]> {
  const sluice = await workshop.sluice();
  await pushApp(await sluice.clone(APP, fixedAnswerApp()));
  const upstream = await instanceAddress(await recordsOf(workshop, sluice), APP);
  const threads = threadLines(await readFile(`${sluice.home}/haproxy/haproxy.cfg`, "utf8"));
  const rivals = [await sluiceItself(sluice), await withCanary(sluice)];
  for (const start of [bareHaproxy(threads), nginx, caddy, nodeProxy])
    rivals.push(await start(workshop, upstream));
  return rivals;
}

async function sluiceItself(sluice: TestSluice): Promise<Rival> {
  const { proxy } = await sluice.read<{ proxy: { pid: number } }>("status");
  return { name: "Sluice", port: sluice.httpPort, pid: proxy.pid };
}

/** The same, for the visitors of an app who were split: they bring their cookie. */
async function withCanary(sluice: TestSluice): Promise<Rival> {
  const clone = await sluice.clone(SPLIT, fixedAnswerApp());
  await pushApp(clone);
  await clone.commit({});
  await pushApp(clone, "HEAD:staging");
  const headers = { Host: `${SPLIT}.localhost`, Cookie: "sluice=production.v1" };
  return { ...(await sluiceItself(sluice)), name: WITH_CANARY, headers };
}

async function measureAll(
  rivals: readonly Rival[],
  seconds: number,
): Promise<{ round: Round; steal: number }> {
  const steal = await watchSteal();
  const round = new Map<string, Measured>();
  for (const rival of rivals) round.set(rival.name, await measure(rival, seconds));
  return { round, steal: await steal() };
}

async function measure({ name, port, pid, headers }: Rival, seconds: number): Promise<Measured> {
  const tree = await processTree(pid);
  const before = await processorMs(tree);
  const { requests, perSecond, failed } = await wrk(`127.0.0.1:${port}`, { Host: HOST, ...headers }, seconds);
  if (failed > requests * MOST_FAILED)
    throw new Error(`${failed} of ${requests} requests through ${name} failed`);
  return { perSecond, failed, microseconds: (((await processorMs(tree)) - before) * 1000) / requests };
}

function tell(bench: BenchRun, rivals: readonly Rival[], rounds: readonly Round[], seconds: number): void {
  const of = (name: string, what: keyof Measured): number[] =>
    rounds.flatMap((round) => round.get(name)?.[what] ?? []);
  const setting = `median of ${rounds.length} rounds of ${seconds} s each in turns, wrk with 32 kept connections, 20 bytes from one nginx worker that Sluice runs as an app; wrk, upstream and proxy share the machine's cores`;
  for (const { name } of rivals) {
    const rates = of(name, "perSecond");
    bench.figure({
      name: `${name}, requests`,
      value: median(rates),
      unit: "requests/s",
      spread: range(rates, "requests/s"),
      method: `Requests/s: ${setting}.`,
    });
  }
  for (const { name } of rivals) {
    const costs = of(name, "microseconds");
    bench.figure({
      name: `${name}, processor per request`,
      value: median(costs),
      unit: "µs",
      spread: range(costs, "µs"),
      method:
        "User and system time of all its processes divided by the requests, in the same rounds; steadier than requests/s.",
    });
  }
  const aims = [
    ["Sluice", "bare HAProxy", 0.75],
    [WITH_CANARY, "bare HAProxy", 0.75],
    ["Sluice", "nginx", undefined],
    ["Sluice", "Caddy", 2.5],
    ["Sluice", "Node proxy", 2.5],
  ] as const;
  for (const [ours, name, atLeast] of aims) {
    const ratios = rounds.map(
      (round) => (round.get(ours)?.perSecond ?? NaN) / (round.get(name)?.perSecond ?? NaN),
    );
    bench.figure({
      name: `${ours} / ${name}`,
      value: median(ratios),
      unit: "×",
      ...(atLeast === undefined ? {} : { aim: { atLeast } }),
      spread: range(ratios, "×"),
      method: "Median of the rounds' ratios of requests/s.",
    });
  }
}
