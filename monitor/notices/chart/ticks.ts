/** Numbers that are easily read, from 0 until `top` is reached; at most `most` steps. */
export function ticks(top: number, most: number): number[] {
  const least = (top > 0 ? top : 1) / most;
  const unit = 10 ** Math.floor(Math.log10(least));
  const step = ([1, 2, 2.5, 5].find((factor) => factor * unit >= least) ?? 10) * unit;
  const count = Math.ceil((top > 0 ? top : 1) / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

/** 1500000 → "1.5M". */
export function shortNumber(value: number): string {
  const [size, sign] = SIZES.find(([least]) => value >= least) ?? [1, ""];
  return `${Number((value / size).toPrecision(3))}${sign}`;
}

const SIZES: readonly (readonly [number, string])[] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** Full five minutes from `from` to `to`, in ms since 1970. */
export function timeTicks(from: number, to: number): number[] {
  const first = Math.ceil(from / STEP_MS) * STEP_MS;
  const count = Math.max(0, Math.floor((to - first) / STEP_MS) + 1);
  return Array.from({ length: count }, (_, index) => first + index * STEP_MS);
}

const STEP_MS = 5 * 60_000;
