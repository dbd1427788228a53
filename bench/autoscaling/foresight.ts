import type { ScaleSettings } from "../../core/records/releases/scale-settings.js";
import { askedOf } from "./asked.js";
import type { Shape } from "./shapes.js";
import type { Second } from "./simulated-day.js";

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
  return askedOf(day).map((mean) => Math.max(min, Math.min(max, mostUseful, Math.ceil(mean / cpuTarget))));
}
