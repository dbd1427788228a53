import { bucketOf } from "../../../core/records/traffic/latency-buckets.js";
import { exponential, poisson, type SeededRandom } from "./chance.js";
import type { Crowd } from "./crowd.js";
import { SECONDS, type Recorder, type Recording } from "./recording.js";
import { GOOD, LATENCIES, latenciesOf, slownessOf, type Latencies, type Release } from "./release.js";
import { calm, type Processes, type Weather } from "./weather.js";

/** What comes to a canary and to production, and what they do. */
export interface Traffic {
  /** Of the visitors, 0 to 1. */
  readonly share: number;
  readonly crowds: readonly Crowd[];
  readonly processes?: (random: SeededRandom) => Processes;
  /** Production is `GOOD`. */
  readonly canary?: Release;
}

/** Visitors who came so long before the canary are there when it begins. */
const BEFORE_SECONDS = 120;

/** What is the same for all requests of a side. */
interface Side {
  readonly release: Release;
  readonly latencies: Latencies;
  readonly processes: readonly Weather[];
}

interface Visit {
  readonly share: number;
  readonly canary: Side;
  readonly production: Side;
  readonly recorder: Recorder;
  readonly random: SeededRandom;
}

/** One canary beside production, request by request. */
export function record(traffic: Traffic, recorder: Recorder, random: SeededRandom): Recording {
  const { share, crowds, canary = GOOD } = traffic;
  const processes = traffic.processes?.(random) ?? { canary: [calm()], production: [calm()] };
  const visiting: Visit = {
    ...{ share, recorder, random },
    canary: { release: canary, latencies: latenciesOf(canary), processes: processes.canary },
    production: { release: GOOD, latencies: latenciesOf(GOOD), processes: processes.production },
  };
  recorder.begin();
  for (const crowd of crowds)
    for (let second = -BEFORE_SECONDS; second < SECONDS; second++) {
      const coming = poisson(crowd.perSecond * (crowd.tide?.(Math.max(0, second)) ?? 1), random);
      for (let visitor = 0; visitor < coming; visitor++) visit(crowd, second + random(), visiting);
    }
  return recorder.end(share);
}

/** All requests of one visitor. */
function visit(crowd: Crowd, comesAt: number, { share, canary, production, recorder, random }: Visit): void {
  const { hasCookie, losesCookie = 0, gapSeconds, errorShare = 0 } = crowd;
  const requests = crowd.requests(random);
  const person = random();
  let at = comesAt;
  let visitor: number | undefined;
  for (let count = 0; count < requests; count++) {
    if (count > 0) at += exponential(gapSeconds, random);
    if (at >= SECONDS) return;
    if (at < 0) continue;
    if (visitor === undefined || !hasCookie || (losesCookie > 0 && random() < losesCookie))
      visitor = recorder.addVisitor(person, share, random);
    const side = recorder.isCanary(visitor) ? canary : production;
    const process = anyOf(side.processes, random);
    const [second, page] = [Math.floor(at), random()];
    const fails =
      doesFail(side.release, count, person, page) ||
      random() < side.release.errorShare + errorShare + (process.errorShare[second] ?? 0);
    recorder.addRequest(second, visitor, fails, bucketAt(side, process, { at, page, crowd }, random));
  }
}

function anyOf(processes: readonly Weather[], random: SeededRandom): Weather {
  const process = processes[processes.length === 1 ? 0 : Math.floor(random() * processes.length)];
  if (process === undefined) throw new Error("a side without a process");
  return process;
}

function doesFail(release: Release, count: number, person: number, page: number): boolean {
  return count >= release.failsAfter || page < release.failingPages || person < release.failingVisitors;
}

function bucketAt(
  { release, latencies }: Side,
  process: Weather,
  { at, page, crowd }: { readonly at: number; readonly page: number; readonly crowd: Crowd },
  random: SeededRandom,
): number {
  const second = Math.floor(at);
  const index = Math.floor(random() * LATENCIES);
  const slowness = slownessOf(release, page) * (crowd.slowness ?? 1) * (process.slowness[second] ?? 1);
  // It comes during the stall, at the second's beginning, or else not.
  const waits = 1000 * (process.stallMs[second] ?? 0) - 1e6 * (at - second);
  if (slowness === 1 && waits <= 0) return latencies.buckets[index] ?? 0;
  return bucketOf(Math.max(slowness * (latencies.microseconds[index] ?? 0), waits));
}
