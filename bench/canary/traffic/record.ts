import { bucketOf } from "../../../core/records/traffic/latency-buckets.js";
import { exponential, poisson, type SeededRandom } from "./chance.js";
import type { Crowd } from "./crowd.js";
import { SECONDS, type Recorder, type Recording } from "./recording.js";
import { GOOD, LATENCIES, latenciesOf, slownessOf, type Release } from "./release.js";
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

interface Visit {
  readonly traffic: Traffic;
  readonly processes: Processes;
  readonly recorder: Recorder;
  readonly random: SeededRandom;
}

/** One canary beside production, request by request. */
export function record(traffic: Traffic, recorder: Recorder, random: SeededRandom): Recording {
  const processes = traffic.processes?.(random) ?? { canary: [calm()], production: [calm()] };
  recorder.begin();
  for (const crowd of traffic.crowds)
    for (let second = -BEFORE_SECONDS; second < SECONDS; second++) {
      const coming = poisson(crowd.perSecond * (crowd.tide?.(Math.max(0, second)) ?? 1), random);
      for (let visitor = 0; visitor < coming; visitor++)
        visit(crowd, second + random(), { traffic, processes, recorder, random });
    }
  return recorder.end(traffic.share);
}

/** All requests of one visitor. */
function visit(crowd: Crowd, comesAt: number, { traffic, processes, recorder, random }: Visit): void {
  const { hasCookie, losesCookie = 0, gapSeconds } = crowd;
  const requests = crowd.requests(random);
  const person = random();
  let at = comesAt;
  let visitor: number | undefined;
  for (let count = 0; count < requests; count++) {
    if (count > 0) at += exponential(gapSeconds, random);
    if (at >= SECONDS) return;
    if (at < 0) continue;
    if (visitor === undefined || !hasCookie || (losesCookie > 0 && random() < losesCookie))
      visitor = recorder.addVisitor(person, traffic.share, random);
    const isCanary = recorder.isCanary(visitor);
    const side = isCanary ? processes.canary : processes.production;
    const process = side.length === 1 ? side[0] : side[Math.floor(random() * side.length)];
    if (process === undefined) throw new Error("a side without a process");
    const release = isCanary ? (traffic.canary ?? GOOD) : GOOD;
    const page = random();
    const fails =
      doesFail(release, { count, person, page }) || random() < errorShareOf(release, crowd, process, at);
    recorder.addRequest(
      Math.floor(at),
      visitor,
      fails,
      bucketAt(release, crowd, process, { at, page }, random),
    );
  }
}

function doesFail(
  { failsAfter, failingPages, failingVisitors }: Release,
  request: { readonly count: number; readonly person: number; readonly page: number },
): boolean {
  return request.count >= failsAfter || request.page < failingPages || request.person < failingVisitors;
}

function errorShareOf({ errorShare }: Release, crowd: Crowd, process: Weather, at: number): number {
  return errorShare + (crowd.errorShare ?? 0) + (process.errorShare[Math.floor(at)] ?? 0);
}

function bucketAt(
  release: Release,
  crowd: Crowd,
  process: Weather,
  { at, page }: { readonly at: number; readonly page: number },
  random: SeededRandom,
): number {
  const second = Math.floor(at);
  const usual = latenciesOf(release)[Math.floor(random() * LATENCIES)] ?? 0;
  const latency = usual * slownessOf(release, page) * (crowd.slowness ?? 1) * (process.slowness[second] ?? 1);
  // It comes during the stall, at the second's beginning, or else not.
  const waits = 1000 * (process.stallMs[second] ?? 0) - 1e6 * (at - second);
  return bucketOf(Math.max(latency, waits));
}
