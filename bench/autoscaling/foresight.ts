import type { ScaleSettings } from "../../core/records/releases/scale-settings.js";
import type { Shape } from "./shapes.js";
import type { Second } from "./simulated-day.js";

const WINDOW_SECONDS = 15;

/**
 * How many instances somebody would pay for in each second who knows the whole day: the fewest that keep the load of the last
 * 15 s at or below the target, within the same bounds, and never more than can help. Each is paid for from `startSeconds`
 * before it is needed, and leaves at once. A leak is not foreseen: only what visitors ask for counts.
 */
export function foresight(day: readonly Second[], shape: Shape, settings: ScaleSettings): number[] {
  const needs = neededOf(day, shape, settings);
  return needs.map((_, second) => Math.max(...needs.slice(second, second + shape.startSeconds + 1)));
}

function neededOf(
  day: readonly Second[],
  { mostUseful = Infinity }: Shape,
  { min, max, cpuTarget }: ScaleSettings,
): number[] {
  let sum = 0;
  const asked = day.map(({ demand, stolenShare }) => demand / (1 - stolenShare));
  return asked.map((demand, second) => {
    sum += demand - (asked[second - WINDOW_SECONDS] ?? 0);
    const mean = sum / Math.min(WINDOW_SECONDS, second + 1);
    return Math.max(min, Math.min(max, mostUseful, Math.ceil(mean / cpuTarget)));
  });
}
