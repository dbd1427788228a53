import { burstyTide, flashCrowds, sawtooth, tide, type Series } from "./demand.js";

/** A kind of day: what visitors ask for, and how instances behave. */
export interface Shape {
  readonly name: string;
  /** What is assumed, in half a sentence. */
  readonly about: string;
  /** From the decision until new instances have visitors, or until one that leaves has none; also a restart. */
  readonly startSeconds: number;
  /** CPU that visitors need, percent of one processor. */
  readonly demand: (random: () => number) => Series;
  /** By what an answer takes more CPU than usual. `demand` is without it. */
  readonly answerCost?: (random: () => number) => Series;
  /** Share of the machine's time that its hypervisor takes while there is work, 0 to 1. */
  readonly stolen?: (random: () => number) => Series;
  /** Processors that the hypervisor really grants, however many the machine shows. */
  readonly granted?: number;
  /** CPU that each instance needs more per hour of its age; at `mostCpu` it restarts. */
  readonly leak?: { readonly cpuPerHour: number; readonly mostCpu: number };
  /** All work passes one lock, and each instance spins while another holds it. */
  readonly hasOneLock?: true;
  /** More instances than this never help. */
  readonly mostUseful?: number;
}

const START_SECONDS = 3;
const SLOW_SECONDS = 30;

export const SHAPES: readonly Shape[] = [
  {
    name: "noisy day",
    about: "a tide from 30 to 310 % of a processor, 24 bursts of up to 10 min, noise",
    startSeconds: START_SECONDS,
    demand: burstyTide,
  },
  {
    name: "slow starts",
    about: "the noisy day, with 30 s until new instances have visitors",
    startSeconds: SLOW_SECONDS,
    demand: burstyTide,
  },
  {
    name: "noisy neighbours",
    about: "the noisy day; in 12 spells of 10 to 60 min, 30 to 70 % of each processor are stolen",
    startSeconds: START_SECONDS,
    demand: burstyTide,
    stolen: (random) => spells(random, { least: 0.3, most: 0.7, otherwise: 0 }),
  },
  {
    name: "3 of 10 processors granted",
    about: "the noisy day with twice the load, on a machine that shows 10 processors and gets the time of 3",
    startSeconds: START_SECONDS,
    demand: (random) => scaled(burstyTide(random), 2),
    granted: 3,
    // With five at the target, all that is granted is used.
    mostUseful: 5,
  },
  {
    name: "costly answers",
    about: "half of the noisy day; in 12 spells of 10 to 60 min, an answer takes 1.5 to 3 times the CPU",
    startSeconds: START_SECONDS,
    demand: (random) => scaled(burstyTide(random), 0.5),
    answerCost: (random) => spells(random, { least: 1.5, most: 3, otherwise: 1 }),
  },
  {
    name: "sawtooth",
    about: "rises from 30 to 450 % within 3 to 20 min, and drops at once",
    startSeconds: START_SECONDS,
    demand: sawtooth,
  },
  {
    name: "flash crowds",
    about: "a tide from 20 to 60 %; 8 crowds of 5 to 20 min ask for ten times as much within 5 s",
    startSeconds: START_SECONDS,
    demand: flashCrowds,
  },
  {
    name: "memory leak",
    about:
      "a tide from 50 to 250 %; each instance needs 10 % of a processor more per hour, and restarts in 10 s when that is 60 %",
    startSeconds: 10,
    demand: (random) => tide(random, 150, 100),
    leak: { cpuPerHour: 10, mostCpu: 60 },
  },
  {
    name: "one lock",
    about:
      "a tide from 20 to 120 % that all passes one lock, for which the other instances spin: each uses as much CPU as one alone",
    startSeconds: START_SECONDS,
    demand: (random) => tide(random, 70, 50),
    hasOneLock: true,
    mostUseful: 1,
  },
];

function scaled(series: Series, factor: number): Series {
  return (second) => factor * series(second);
}

function spells(
  random: () => number,
  { least, most, otherwise }: { least: number; most: number; otherwise: number },
): Series {
  const all = Array.from({ length: 12 }, () => ({
    from: random() * 86_400,
    seconds: 600 + random() * 3000,
    value: least + random() * (most - least),
  }));
  return (second) =>
    all
      .filter(({ from, seconds }) => second >= from && second < from + seconds)
      .reduce((highest, { value }) => Math.max(highest, value), otherwise);
}
