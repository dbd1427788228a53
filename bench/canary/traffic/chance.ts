/** From 0 up to 1. */
export type SeededRandom = () => number;

/** How many of events that come at a constant rate. Above 30 a normal distribution is near enough. */
export function poisson(mean: number, random: SeededRandom): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** G. Box, M. Muller, 1958. */
export function normal(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function exponential(mean: number, random: SeededRandom): number {
  return -mean * Math.log(1 - random());
}

/** 1 or more; the mean is exact. */
export function geometric(mean: number, random: SeededRandom): number {
  return mean <= 1 ? 1 : 1 + Math.floor(Math.log(1 - random()) / Math.log(1 - 1 / mean));
}

/** Most are small, and few are very large: with a `shape` of 1 or less the mean is infinite. Whole, from 1 to `most`. */
export function pareto(shape: number, most: number, random: SeededRandom): number {
  return Math.min(most, Math.floor((1 - random()) ** (-1 / shape)));
}
