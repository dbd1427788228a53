import { setImmediate } from "node:timers/promises";
import { TOLERANCE } from "../monitor/autoscaling/autoscaler.js";
import type { Bench } from "./bench.js";
import type { Aim } from "./figure.js";
import { changesOf, flapsOf, mostWithinAnHour, takenBack } from "./autoscaling/flaps.js";
import { foresight } from "./autoscaling/foresight.js";
import { SHAPES, type Shape } from "./autoscaling/shapes.js";
import { simulatedDay, type Second } from "./autoscaling/simulated-day.js";
import { seededRandom } from "./seeded-random.js";
import { median, sum } from "./statistics.js";

const SETTINGS = { min: 1, max: 10, cpuTarget: 60, cooldownSeconds: 120 };
/** Days by which no constant of the autoscaler was chosen. */
const SEEDS = Array.from({ length: 10 }, (_, index) => 301 + index);
const WINDOW_SECONDS = 15;

/** A simulation: what the autoscaler decides on days of all kinds, without any requests or machines. */
export const autoscaler: Bench = {
  name: "autoscaler",
  title: "how the autoscaler decides",
  limitSeconds: 300,
  run: async ({ quick, figure }) => {
    for (const shape of SHAPES) {
      const days: Day[] = [];
      for (const seed of quick ? SEEDS.slice(0, 1) : SEEDS) {
        days.push(measuredDay(shape, seed));
        // So that an interruption and the limit are heeded.
        await setImmediate();
      }
      for (const { name, unit, of, ofDays = median, ...aimed } of FIGURES) {
        const values = days.map(of);
        figure({
          name: `${shape.name}: ${name}`,
          value: ofDays(values),
          unit,
          ...aimed,
          spread: `${Math.min(...values).toPrecision(3)} to ${Math.max(...values).toPrecision(3)} on single days`,
          method: `The decisions alone, over ${days.length} simulated days: ${shape.about}. Target 60 %, cooldown 120 s, 1 to 10 instances.`,
        });
      }
    }
  },
};

interface Day {
  readonly changesPerHour: number;
  readonly minutesAbove: number;
  readonly paidByForesight: number;
  readonly takenBack: number;
  readonly flaps: number;
  readonly mostFlapsInAnHour: number;
}

const FIGURES: readonly {
  readonly name: string;
  readonly unit: string;
  readonly of: (day: Day) => number;
  /** Their median, if not said otherwise. */
  readonly ofDays?: (values: number[]) => number;
  readonly aim?: Aim;
}[] = [
  { name: "changes", unit: "an hour", of: ({ changesPerHour }) => changesPerHour, aim: { atMost: 12 } },
  {
    name: "above the target, where more instances would have helped",
    unit: "min a day",
    of: ({ minutesAbove }) => minutesAbove,
    aim: { atMost: 72 },
  },
  {
    name: "instance-hours, by those of perfect foresight",
    unit: "×",
    of: ({ paidByForesight }) => paidByForesight,
    aim: { atMost: 1.5 },
  },
  { name: "changes taken back soon", unit: "a day", of: ({ takenBack }) => takenBack },
  { name: "flaps", unit: "a day", of: ({ flaps }) => flaps },
  {
    name: "most flaps within an hour of any day",
    unit: "",
    of: ({ mostFlapsInAnHour }) => mostFlapsInAnHour,
    ofDays: (values) => Math.max(...values),
    aim: { atMost: 1 },
  },
];

function measuredDay(shape: Shape, seed: number): Day {
  const day = simulatedDay(shape, SETTINGS, seededRandom(seed));
  const changes = changesOf(day);
  const flaps = flapsOf(day, { ...SETTINGS, startSeconds: shape.startSeconds });
  return {
    changesPerHour: changes.length / 24,
    minutesAbove: secondsAbove(day, shape) / 60,
    paidByForesight: sum(day.map(({ paid }) => paid)) / sum(foresight(day, shape, SETTINGS)),
    takenBack: takenBack(changes, SETTINGS.cooldownSeconds).length,
    flaps: flaps.length,
    mostFlapsInAnHour: mostWithinAnHour(flaps),
  };
}

/** Seconds whose last 15 s wanted more than a tenth above the target of the CPU there was, with fewer instances than can help. */
function secondsAbove(day: readonly Second[], { mostUseful = Infinity }: Shape): number {
  const limit = (SETTINGS.cpuTarget / 100) * (1 + TOLERANCE);
  const most = Math.min(SETTINGS.max, mostUseful);
  let [wanted, available] = [0, 0];
  return day.filter((second, index) => {
    const left = day[index - WINDOW_SECONDS];
    wanted += second.wanted - (left?.wanted ?? 0);
    available += second.available - (left?.available ?? 0);
    return second.instances < most && wanted > available * limit;
  }).length;
}
