/** NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? NaN)) / 2 : upper;
}

/** Nearest rank: the least value that `share` (0 to 1) of all do not exceed. NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** `min 580, max 702 ms`. */
export function range(values: readonly number[], unit: string): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) =>
    value >= 100 ? value.toFixed(0) : value.toPrecision(3),
  );
  return `min ${least ?? ""}, max ${most ?? ""} ${unit}`;
}
