import { readFile } from "node:fs/promises";
import { eventually } from "../test/support/eventually.js";
import type { TestSluice } from "../test/support/running/test-sluice.js";
import { askHttps } from "../test/support/tls/ask-https.js";
import type { Bench, BenchRun } from "./bench.js";
import { memoryOf, processorMs, processTree } from "./machine/processes.js";
import { instanceAddress, recordsOf } from "./machine/records.js";
import { watchSteal } from "./machine/steal.js";
import { pushApp } from "./push-app.js";
import { fixedAnswerApp } from "./pushed/fixed-answer.js";
import { caddyWithTls } from "./rivals/caddy.js";
import { makeCertificateFiles } from "./rivals/certificate-files.js";
import { bareHaproxyWithTls, threadLines, tlsLines } from "./rivals/haproxy.js";
import { nginxWithTls } from "./rivals/nginx.js";
import type { Rival } from "./rivals/rival.js";
import { rotated } from "./rivals/rotated.js";
import { wrk } from "./rivals/wrk.js";
import { median, quantile, range, sum } from "./statistics.js";
import { addCertificates } from "./tls/many-certificates.js";
import { TlsClient } from "./tls/tls-client.js";
import type { TlsLoad, TlsLoadResult } from "./tls/tls-load.js";

const APP = "fixed";
const HOST = `${APP}.localhost`;
const MOST_STEAL = 0.1;
/** With more, the rate says nothing. */
const MOST_FAILED = 0.01;
const HANDSHAKES_AT_ONCE = 8;
const STREAMS = 100;
const MANY_CERTIFICATES = 2000;
const MANY_LIMIT_MS = 60_000;

/** What each proxy is asked for in each round. `cost`: the figure's aim is on it. */
const LOADS = [
  { kind: "kept", unit: "requests/s", what: "requests", each: "request" },
  { kind: "streams", unit: "requests/s", what: `HTTP/2, ${STREAMS} streams`, each: "request" },
  { kind: "full", unit: "handshakes/s", what: "full handshakes", each: "handshake" },
  { kind: "resumed", unit: "handshakes/s", what: "resumed handshakes", each: "handshake" },
] as const;

type Kind = (typeof LOADS)[number]["kind"];

interface Measured {
  readonly perSecond: number;
  /** Processor time of the proxy's processes for each request or handshake. */
  readonly microseconds: number;
}

/** One measurement of each proxy under each load: `KIND NAME` → it. */
type Round = ReadonlyMap<string, Measured>;

export const tls: Bench = {
  name: "tls",
  title: "https, HTTP/2 and handshakes through Sluice and through others, in turns",
  limitSeconds: 150,
  run: async (bench) => {
    const { rivals, sluice } = await startAll(bench);
    const client = TlsClient.start(bench.workshop);
    const { wanted, most, seconds } = bench.quick
      ? { wanted: 1, most: 2, seconds: 0.5 }
      : { wanted: 3, most: 4, seconds: 1.2 };
    for (const rival of rivals) await measureOne(rival, client, 0.3);
    const rounds: Round[] = [];
    const stolen: Round[] = [];
    for (let turn = 0; turn < most && rounds.length < wanted; turn++) {
      const steal = await watchSteal();
      const round = new Map<string, Measured>();
      for (const rival of rotated(rivals, turn))
        for (const [kind, measured] of await measureOne(rival, client, seconds))
          round.set(`${kind} ${rival.name}`, measured);
      ((await steal()) > MOST_STEAL ? stolen : rounds).push(round);
    }
    bench.note(
      `${rounds.length} rounds kept, ${stolen.length} discarded because more than ${MOST_STEAL * 100} % of the machine was stolen`,
    );
    if (rounds.length === 0)
      bench.note("no round was free of it: the figures below are from those discarded");
    tell(bench, rivals, rounds.length === 0 ? stolen : rounds, seconds);
    await tellMany(bench, sluice, client);
  },
};

/** Sluice first, the bare HAProxy second. All have the same upstream, the app's instance, and the same certificate. */
async function startAll({ workshop }: BenchRun): Promise<{ rivals: Rival[]; sluice: TestSluice }> {
  const sluice = await workshop.sluice();
  await pushApp(await sluice.clone(APP, fixedAnswerApp()));
  const files = await makeCertificateFiles(workshop, [HOST, "localhost"]);
  const { status, stderr } = await sluice.cli("certs", APP, "add", files.certificate, files.key);
  if (status !== 0) throw new Error(stderr);
  const upstream = await instanceAddress(await recordsOf(workshop, sluice), APP);
  const configuration = await readFile(`${sluice.home}/haproxy/haproxy.cfg`, "utf8");
  const global = `${threadLines(configuration)}\n${tlsLines(configuration)}`;
  const rivals: Rival[] = [{ name: "Sluice", port: sluice.httpsPort, pid: await proxyPid(sluice) }];
  for (const start of [bareHaproxyWithTls(global, files), nginxWithTls(files), caddyWithTls(files)])
    rivals.push(await start(workshop, upstream));
  return { rivals, sluice };
}

async function proxyPid(sluice: TestSluice): Promise<number> {
  return (await sluice.read<{ proxy: { pid: number } }>("status")).proxy.pid;
}

async function measureOne(rival: Rival, client: TlsClient, seconds: number): Promise<Map<Kind, Measured>> {
  const found = new Map<Kind, Measured>();
  const tree = await processTree(rival.pid);
  for (const { kind } of LOADS) {
    const before = await processorMs(tree);
    const { count, failed, perSecond } = await run(kind, rival, client, seconds);
    if (failed > count * MOST_FAILED)
      throw new Error(`${failed} of ${count} (${kind}) through ${rival.name} failed`);
    found.set(kind, { perSecond, microseconds: (((await processorMs(tree)) - before) * 1000) / count });
  }
  return found;
}

async function run(
  kind: Kind,
  { name, port }: Rival,
  client: TlsClient,
  seconds: number,
): Promise<{ count: number; failed: number; perSecond: number }> {
  if (kind === "kept") {
    // wrk takes whole seconds.
    const found = await wrk(`127.0.0.1:${port}`, { Host: HOST }, Math.ceil(seconds), "https");
    return { count: found.requests, failed: found.failed, perSecond: found.perSecond };
  }
  const atOnce = kind === "streams" ? STREAMS : HANDSHAKES_AT_ONCE;
  const result = await client.run({ kind, port, hosts: [HOST], atOnce, seconds });
  const wantedResumed = kind === "resumed" ? result.count : 0;
  if (kind !== "streams" && Math.abs(result.resumed - wantedResumed) > result.count * MOST_FAILED)
    throw new Error(`${result.resumed} of ${result.count} handshakes (${kind}) with ${name} were resumed`);
  return { ...result, perSecond: result.count / result.seconds };
}

function tell(bench: BenchRun, rivals: readonly Rival[], rounds: readonly Round[], seconds: number): void {
  const of = (kind: Kind, name: string, what: keyof Measured): number[] =>
    rounds.flatMap((round) => round.get(`${kind} ${name}`)?.[what] ?? []);
  for (const { kind, unit, what, each } of LOADS) {
    const setting = `median of ${rounds.length} rounds of ${seconds} s each in turns, ${METHODS[kind]}; client, upstream and proxy share the machine's cores`;
    for (const { name } of rivals) {
      const rates = of(kind, name, "perSecond");
      const costs = of(kind, name, "microseconds");
      bench.figure({
        ...{ name: `${name}, ${what}`, value: median(rates), unit, spread: range(rates, unit) },
        method: `A second: ${setting}.`,
      });
      bench.figure({
        ...{ name: `${name}, ${what}, processor for each ${each}`, value: median(costs), unit: "µs" },
        spread: range(costs, "µs"),
        method: "User and system time of all its processes divided by their number, in the same rounds.",
      });
    }
    for (const { name } of rivals.slice(1)) {
      const ratios = rounds.map(
        (round) =>
          (round.get(`${kind} Sluice`)?.microseconds ?? NaN) /
          (round.get(`${kind} ${name}`)?.microseconds ?? NaN),
      );
      bench.figure({
        ...{ name: `Sluice / ${name}, ${what}, processor`, value: median(ratios), unit: "×" },
        ...(name === "bare HAProxy" ? { aim: { atMost: 1.1 } } : {}),
        spread: range(ratios, "×"),
        method: `Median of the rounds' ratios of processor time for each ${each}.`,
      });
    }
  }
}

const METHODS: Readonly<Record<Kind, string>> = {
  kept: "wrk with 32 kept connections over TLS (HTTP/1.1), 20 bytes from one nginx worker that Sluice runs as an app",
  streams: `one Node.js process with one HTTP/2 connection and ${STREAMS} streams at a time, which is the limit of the rate`,
  full: `one Node.js process, ${HANDSHAKES_AT_ONCE} new TLS 1.3 connections at a time, P-256, without a request; the client is the limit of the rate`,
  resumed: `the same, each resuming one session; the client is the limit of the rate`,
};

/** What many certificates cost: memory, and time in each handshake. */
async function tellMany(bench: BenchRun, sluice: TestSluice, client: TlsClient): Promise<void> {
  const count = bench.quick ? MANY_CERTIFICATES / 10 : MANY_CERTIFICATES;
  const hosts = Array.from({ length: count }, (_, index) => `host-${index}.localhost`);
  const pids = await processTree(await proxyPid(sluice));
  const before = { p50: await handshakeMs(bench, sluice, client, [HOST]), mb: await residentMb(pids) };
  const began = performance.now();
  await addCertificates(bench.workshop, sluice, hosts);
  await eventually(`${count} certificates are served`, async () => servesAll(sluice, hosts), MANY_LIMIT_MS);
  const installedMs = performance.now() - began;
  const pidsAfter = await processTree(await proxyPid(sluice));
  const after = { p50: await handshakeMs(bench, sluice, client, hosts), mb: await residentMb(pidsAfter) };
  const method = `${count} P-256 certificates for as many names, put into Redis as \`sluice certs\` does.`;
  bench.figure({
    name: `${count} certificates, until all are served`,
    value: installedMs,
    unit: "ms",
    method,
  });
  bench.figure({
    ...{ name: `${count} certificates, more memory of HAProxy`, value: after.mb - before.mb, unit: "MB" },
    method: `Resident memory of its processes, ${before.mb.toFixed(0)} MB before. ${method}`,
  });
  bench.figure({
    ...{ name: `handshake p50, ${count} certificates / 1`, value: after.p50 / before.p50, unit: "×" },
    aim: { atMost: 1.1 },
    spread: `${before.p50.toFixed(2)} ms with one, ${after.p50.toFixed(2)} ms`,
    method: "Full TLS 1.3 handshakes, one after the other, for all names in turns.",
  });
  bench.figure({
    ...{
      name: "processes of HAProxy that were replaced meanwhile",
      value: pids.filter((pid) => !pidsAfter.includes(pid)).length,
    },
    ...{ unit: "", aim: { atMost: 0 }, method: "Their process ids before and after." },
  });
}

async function handshakeMs(
  { quick }: BenchRun,
  { httpsPort }: TestSluice,
  client: TlsClient,
  hosts: readonly string[],
): Promise<number> {
  const load: TlsLoad = { kind: "full", port: httpsPort, hosts, atOnce: 1, seconds: quick ? 0.5 : 4 };
  const { ms, failed }: TlsLoadResult = await client.run(load);
  if (failed > 0) throw new Error(`${failed} handshakes failed`);
  return quantile(ms, 0.5);
}

async function servesAll(sluice: TestSluice, hosts: readonly string[]): Promise<boolean> {
  // The last in the order of neither names nor ids is known, so some are asked.
  for (const index of [0, hosts.length >> 1, hosts.length - 1]) {
    const host = hosts[index] ?? "";
    const { certificate } = await askHttps(sluice.httpsPort, host).catch(() => ({ certificate: undefined }));
    if (certificate?.subject.CN !== host) return false;
  }
  return true;
}

async function residentMb(pids: readonly number[]): Promise<number> {
  return sum((await Promise.all(pids.map(memoryOf))).map(({ residentMegabytes }) => residentMegabytes));
}
