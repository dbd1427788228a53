import type { Metric } from "../../core/records/hosts/sample.js";
import { METRIC_WORDS } from "../rules/metric-words.js";

/** A metric's value for people: `87.4 %`, `12.5 GB`, `3.1 MB/s`. */
export function figureText(metric: Metric, value: number): string {
  const [, unit] = METRIC_WORDS[metric];
  if (unit === "MB" && value >= 10_240) return `${short(value / 1024)} GB`;
  if (unit === "bytes/s" && value >= 1e6) return `${short(value / 1e6)} MB/s`;
  if (unit === "bytes/s" && value >= 1e4) return `${short(value / 1e3)} kB/s`;
  return `${unit === "" ? Number(value.toFixed(2)) : short(value)} ${unit}`.trim();
}

/** `2026-01-31 10:31:05 UTC`. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function short(value: number): number {
  return Number(value.toFixed(1));
}
