import { pareto } from "./traffic/chance.js";
import { bots, people } from "./traffic/crowd.js";
import type { Traffic } from "./traffic/record.js";
import {
  calm,
  crashing,
  officeHours,
  stalling,
  tide,
  wandering,
  warmingUp,
  type Processes,
  type Weather,
} from "./traffic/weather.js";

/** Traffic in which the canary is exactly as good as production. */
export interface Shape extends Traffic {
  readonly name: string;
  /** What is special of it, for a reader. */
  readonly about: string;
}

const RATE = 30;
const SHARE = 0.3;
const PEOPLE = people(RATE);
const ORDINARY = { share: SHARE, crowds: [PEOPLE] };

/** Of a day's worth of things that happen to equal releases. */
export const SHAPES: readonly Shape[] = [
  { ...ORDINARY, name: "ordinary visitors", about: "ten requests each, spread over a minute" },
  {
    ...ORDINARY,
    name: "independent requests",
    about: "nobody has a cookie",
    crowds: [bots(RATE)],
  },
  {
    ...ORDINARY,
    name: "some meet slow pages only",
    about: "5 % of the visitors, ten times as slow",
    crowds: [scaled(0.95), { ...scaled(0.05), slowness: 10 }],
  },
  {
    ...ORDINARY,
    name: "some always get errors",
    about: "1 % of the visitors, at every request",
    crowds: [scaled(0.99), { ...scaled(0.01), errorShare: 1 }],
  },
  {
    ...ORDINARY,
    name: "one sends 300 failing requests",
    about: "every five minutes, with a cookie, three a second",
    crowds: [
      PEOPLE,
      { ...PEOPLE, perSecond: 1 / 300, requests: () => 300, gapSeconds: 1 / 3, errorShare: 1 },
    ],
  },
  {
    ...ORDINARY,
    name: "a failing bot without cookies",
    about: "two requests/s, which all fail",
    crowds: [PEOPLE, { ...bots(2), errorShare: 1 }],
  },
  {
    ...ORDINARY,
    name: "outages of both sides",
    about: "for 10 s every 5 minutes everything fails",
    processes: (random) => common(crashing({ everySeconds: 300, lastsSeconds: 10 }, random)),
  },
  {
    ...ORDINARY,
    name: "lost cookies",
    about: "a fifth of the requests come without the cookie; 1 % of the visitors always get errors",
    crowds: [
      { ...scaled(0.99), losesCookie: 0.2 },
      { ...scaled(0.01), losesCookie: 0.2, errorShare: 1 },
    ],
  },
  {
    ...ORDINARY,
    name: "office hours",
    about: "rate, errors and latencies rise and fall",
    crowds: [{ ...PEOPLE, tide: (second) => 0.1 + 1.8 * tide(second) }],
    processes: () => common(officeHours()),
  },
  {
    ...ORDINARY,
    name: "two populations",
    about: "half of the requests by bots: fast, 5 % fail; the people's are twice as slow",
    crowds: [
      { ...scaled(0.5), slowness: 2 },
      { ...bots(RATE / 2), slowness: 0.3, errorShare: 0.05 },
    ],
  },
  {
    ...ORDINARY,
    name: "heavy tails",
    about: "requests per visitor are Pareto (1.1, at most 5,000); 1 % of the visitors always get errors",
    crowds: [heavy(0.99), { ...heavy(0.01), errorShare: 1 }],
  },
  ...[10, 30, 60].map((memorySeconds): Shape => ({
    ...ORDINARY,
    name: `latency wanders, ${memorySeconds} s`,
    about: `each side's for itself, by 20 % (one standard deviation), and forgets in ${memorySeconds} s`,
    processes: (random) => each(() => wandering({ sigma: 0.2, memorySeconds }, random)),
  })),
  {
    ...ORDINARY,
    name: "latency wanders in common, 30 s",
    about: "both sides alike, by 50 %",
    processes: (random) => common(wandering({ sigma: 0.5, memorySeconds: 30 }, random)),
  },
  {
    ...ORDINARY,
    name: "stalls",
    about: "each side's process stands still in 1/30 of the seconds, for 50 to 500 ms",
    processes: (random) => each(() => stalling(1 / 30, random)),
  },
  {
    ...ORDINARY,
    name: "many stalls",
    about: "in 1/5 of the seconds",
    processes: (random) => each(() => stalling(1 / 5, random)),
  },
  ...[50, 200, 500].map((everySeconds): Shape => ({
    ...ORDINARY,
    name: `crashes, every ${everySeconds} s`,
    about: "each side's process fails all requests of one second, at the same rate",
    processes: (random) => each(() => crashing({ everySeconds }, random)),
  })),
  {
    ...ORDINARY,
    name: "restarts",
    about: "each side's process fails everything for 2 s, every 1,000 s",
    processes: (random) => each(() => crashing({ everySeconds: 1000, lastsSeconds: 2 }, random)),
  },
  {
    ...ORDINARY,
    name: "a cold cache",
    about: "the canary is three times as slow at first",
    processes: () => ({ canary: [warmingUp()], production: [calm()] }),
  },
  {
    ...ORDINARY,
    name: "one instance beside ten, stalls",
    about: "each stands still in 1/30 of the seconds",
    share: 1 / 11,
    processes: (random) => oneBesideTen(() => stalling(1 / 30, random)),
  },
  {
    ...ORDINARY,
    name: "one instance beside ten, crashes",
    about: "each fails everything for a second, every 200 s",
    share: 1 / 11,
    processes: (random) => oneBesideTen(() => crashing({ everySeconds: 200 }, random)),
  },
  ...[0.01, 0.05, 0.5].map((share): Shape => ({
    ...ORDINARY,
    name: `a share of ${share * 100} %`,
    about: "ordinary visitors",
    share,
  })),
  {
    ...ORDINARY,
    name: "few visitors",
    about: "0.2 visitors/s, two requests/s",
    crowds: [people(2)],
  },
];

/** Where more good canaries fail than should: each side has few events of its own, each longer than a block of evidence. */
export const BEYOND: readonly Shape[] = [
  {
    ...ORDINARY,
    name: "latency wanders far, 60 s",
    about: "each side's for itself, by 50 %, and forgets in 60 s",
    processes: (random) => each(() => wandering({ sigma: 0.5, memorySeconds: 60 }, random)),
  },
  {
    ...ORDINARY,
    name: "outages of one side",
    about: "each side's process fails everything for 5 s, every 1,000 s",
    processes: (random) => each(() => crashing({ everySeconds: 1000, lastsSeconds: 5 }, random)),
  },
  {
    ...ORDINARY,
    name: "long outages of one side",
    about: "each side's process fails everything for 20 s, every 1,000 s",
    processes: (random) => each(() => crashing({ everySeconds: 1000, lastsSeconds: 20 }, random)),
  },
];

function scaled(part: number): typeof PEOPLE {
  return { ...PEOPLE, perSecond: PEOPLE.perSecond * part };
}

function heavy(part: number): typeof PEOPLE {
  return { ...scaled(part), requests: (random) => pareto(1.1, 5000, random), gapSeconds: 2 };
}

function common(weather: Weather): Processes {
  return { canary: [weather], production: [weather] };
}

function each(weather: () => Weather): Processes {
  return { canary: [weather()], production: [weather()] };
}

function oneBesideTen(weather: () => Weather): Processes {
  return { canary: [weather()], production: Array.from({ length: 10 }, weather) };
}
