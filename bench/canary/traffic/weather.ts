import { exponential, normal, type SeededRandom } from "./chance.js";
import { SECONDS } from "./recording.js";

/** What happens to all requests of a process, whoever sends them, second by second. */
export interface Weather {
  /** In addition to the errors of the release and of the visitor; 0 to 1. */
  readonly errorShare: Float64Array;
  /** A factor of the latencies. */
  readonly slowness: Float64Array;
  /** The process stands still for so long in this second. What comes meanwhile waits. */
  readonly stallMs: Float64Array;
}

/** The processes of each side; a request goes to any of its side's. */
export interface Processes {
  readonly canary: readonly Weather[];
  readonly production: readonly Weather[];
}

export function calm(): Weather {
  return {
    errorShare: new Float64Array(SECONDS),
    slowness: new Float64Array(SECONDS).fill(1),
    stallMs: new Float64Array(SECONDS),
  };
}

/** In this share of the seconds it stands still for 50 to 500 ms: it collects garbage, or the machine is busy. */
export function stalling(share: number, random: SeededRandom): Weather {
  const weather = calm();
  for (let second = 0; second < SECONDS; second++)
    if (random() < share) weather.stallMs[second] = 50 + 450 * random();
  return weather;
}

/** Now and then all requests of one second, or of several, fail. */
export function crashing(
  { everySeconds, lastsSeconds = 1 }: { readonly everySeconds: number; readonly lastsSeconds?: number },
  random: SeededRandom,
): Weather {
  const weather = calm();
  for (let at = exponential(everySeconds, random); at < SECONDS; at += exponential(everySeconds, random))
    weather.errorShare.fill(1, Math.floor(at), Math.floor(at) + lastsSeconds);
  return weather;
}

/** The logarithm of the latency wanders: an autoregressive process that forgets within `memorySeconds`. */
export function wandering(
  { sigma, memorySeconds }: { readonly sigma: number; readonly memorySeconds: number },
  random: SeededRandom,
): Weather {
  const weather = calm();
  const kept = Math.exp(-1 / memorySeconds);
  let level = sigma * normal(random);
  for (let second = 0; second < SECONDS; second++) {
    weather.slowness[second] = Math.exp(level);
    level = kept * level + sigma * Math.sqrt(1 - kept ** 2) * normal(random);
  }
  return weather;
}

/** Three times as slow at first, and half of the rest is gone every ten seconds. */
export function warmingUp(): Weather {
  const weather = calm();
  for (let second = 0; second < SECONDS; second++) weather.slowness[second] = 1 + 2 * 0.5 ** (second / 10);
  return weather;
}

/** A day in `SECONDS`: at its height there are more errors, and all is slower. */
export function officeHours(): Weather {
  const weather = calm();
  for (let second = 0; second < SECONDS; second++) {
    weather.slowness[second] = 0.7 + tide(second);
    weather.errorShare[second] = 0.02 * tide(second);
  }
  return weather;
}

/** From 0 at night to 1 in the middle of the day. */
export function tide(second: number): number {
  return (1 - Math.cos((2 * Math.PI * second) / SECONDS)) / 2;
}
