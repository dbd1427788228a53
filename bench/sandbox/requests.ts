import { Home } from "../../core/home.js";
import { serviceState } from "../../core/exec/runsv.js";
import type { BenchRun } from "../bench.js";
import { processorMs, processTree } from "../machine/processes.js";
import { instanceAddress, recordsOf } from "../machine/records.js";
import { watchSteal } from "../machine/steal.js";
import { pushApp } from "../push-app.js";
import { fixedAnswerApp } from "../pushed/fixed-answer.js";
import { wrk } from "../rivals/wrk.js";
import { median, range } from "../statistics.js";
import { inTurns } from "./turns.js";

const APP = "fixed";
const TURNS = 15;
const QUICK_TURNS = 2;
const SECONDS = 2;

/** By the setting `instances.network`. */
type NetworkKind = "own" | "host";

/** An instance as one program reaches it. */
interface Target {
  readonly address: string;
  /** The processes that work for it. */
  readonly pids: readonly number[];
}

interface Measured {
  readonly perSecond: number;
  readonly microseconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The same app in a network of its own and in the machine's, through Sluice's proxy and without it. */
export async function measureRequests(bench: BenchRun): Promise<void> {
  const own = await settle(bench, "own");
  const host = await settle(bench, "host");
  const seconds = bench.quick ? 1 : SECONDS;
  const ways = Object.entries({
    "through the proxy, own network": own.proxied,
    "through the proxy, machine's network": host.proxied,
    "direct, own network": own.direct,
    "direct, machine's network": host.direct,
  }).map(([name, target]) => ({ name, measure: async () => measure(target, seconds) }));
  const steal = await watchSteal();
  const found = await inTurns(ways, bench.quick ? QUICK_TURNS : TURNS);
  bench.note(`${((await steal()) * 100).toFixed(1)} % of the machine's time was stolen meanwhile`);
  for (const [name, measured] of found) tell(bench, name, measured, seconds);
  for (const path of ["through the proxy", "direct"]) tellRatios(bench, path, found);
}

async function settle(
  { workshop }: BenchRun,
  network: NetworkKind,
): Promise<{ proxied: Target; direct: Target }> {
  const sluice = await workshop.sluice({ instances: { network } });
  await pushApp(await sluice.clone(APP, fixedAnswerApp()));
  const home = new Home(sluice.home);
  const instance = await treeOf(home, `${APP}.v1.web.1`);
  const proxy = await treeOf(home, "haproxy");
  const address = await instanceAddress(await recordsOf(workshop, sluice), APP);
  return {
    proxied: { address: `127.0.0.1:${sluice.httpPort}`, pids: [...proxy, ...instance] },
    direct: { address, pids: instance },
  };
}

async function treeOf(home: Home, service: string): Promise<number[]> {
  const { pid } = await serviceState(home.service(service));
  if (pid === undefined) throw new Error(`${service} does not run`);
  return processTree(pid);
}

async function measure({ address, pids }: Target, seconds: number): Promise<Measured> {
  const before = await processorMs(pids);
  const { requests, perSecond, failed, p50Ms, p99Ms } = await wrk(
    address,
    { Host: `${APP}.localhost` },
    seconds,
  );
  if (failed > 0) throw new Error(`${failed} of ${requests} requests to ${address} failed`);
  return { perSecond, p50Ms, p99Ms, microseconds: (((await processorMs(pids)) - before) * 1000) / requests };
}

function tell({ figure }: BenchRun, name: string, measured: readonly Measured[], seconds: number): void {
  const rates = measured.map(({ perSecond }) => perSecond);
  const of = (what: keyof Measured): number => median(measured.map((each) => each[what]));
  figure({
    name: `requests ${name}`,
    value: median(rates),
    unit: "requests/s",
    spread: `${range(rates, "requests/s")}; p50 ${of("p50Ms").toFixed(2)} ms, p99 ${of("p99Ms").toFixed(2)} ms`,
    method: `Medians of ${measured.length} turns of ${seconds} s: wrk with 32 kept connections, 20 bytes from one nginx worker that Sluice runs as an app.`,
  });
  const costs = measured.map(({ microseconds }) => microseconds);
  figure({
    name: `processor per request ${name}`,
    value: median(costs),
    unit: "µs",
    spread: range(costs, "µs"),
    method:
      "User and system time of the app's processes, and of the proxy's if it is there, divided by the requests.",
  });
}

function tellRatios(
  { figure }: BenchRun,
  path: string,
  found: ReadonlyMap<string, readonly Measured[]>,
): void {
  const own = found.get(`${path}, own network`) ?? [];
  const host = found.get(`${path}, machine's network`) ?? [];
  for (const [what, name] of [
    ["perSecond", "requests/s"],
    ["microseconds", "processor per request"],
    ["p50Ms", "p50"],
    ["p99Ms", "p99"],
  ] as const) {
    const ratios = own.map((each, turn) => each[what] / (host[turn]?.[what] ?? NaN));
    figure({
      name: `${name} ${path}, own / machine's network`,
      value: median(ratios),
      unit: "×",
      spread: range(ratios, "×"),
      method: "Median of the turns' ratios.",
    });
  }
}
