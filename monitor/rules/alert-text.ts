import type { Rule } from "../../core/settings/monitor-settings.js";
import { METRIC_WORDS } from "./metric-words.js";

/** "CPU of web-1 was above 50 % for 30 s; it is 72.5 %." */
export function alertText({ metric, above, below, forSeconds }: Rule, host: string, value: number): string {
  const [name, unit] = METRIC_WORDS[metric];
  const figure = (number: number): string => `${number} ${unit}`.trim();
  const limit = above === undefined ? `below ${figure(below ?? 0)}` : `above ${figure(above)}`;
  return `${name} of ${host} was ${limit} for ${forSeconds} s; it is ${figure(value)}.`;
}

export function silentText(host: string, seconds: number): string {
  return `${host} has sent no figures for ${seconds} s.`;
}
