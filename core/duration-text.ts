/** `90 s`, `4 min`, `3 h`, `5 days`. */
export function durationText(ms: number): string {
  const [unit, name] = UNITS.find(([least]) => ms >= 2 * least) ?? [1000, "s"];
  return `${Math.round(ms / unit)} ${name}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, "days"],
  [3_600_000, "h"],
  [60_000, "min"],
];
