export const DAY_SECONDS = 86_400;

/** A value for each second, asked for in order. */
export type Series = (second: number) => number;

/** Quiet at night and busy in the afternoon, with noise that lasts some seconds. */
export function tide(random: () => number, mean: number, swing: number): Series {
  const noise = noiseOf(random);
  return (second) => Math.max(0, level(second, mean, swing) * (1 + noise()));
}

/** A tide with 24 bursts of minutes. */
export function burstyTide(random: () => number): Series {
  const bursts = spellsOf(random, { count: 24, leastSeconds: 30, mostSeconds: 600 }).map((spell) => ({
    ...spell,
    load: 40 + random() * 160,
  }));
  const noise = noiseOf(random);
  return (second) => {
    const extra = bursts.filter((burst) => isWithin(burst, second)).reduce((sum, { load }) => sum + load, 0);
    return Math.max(0, (level(second, 170, 140) + extra) * (1 + noise()));
  };
}

/** Teeth of different lengths. */
export function sawtooth(random: () => number): Series {
  const noise = noiseOf(random);
  let [began, seconds] = [0, 600];
  return (second) => {
    if (second - began >= seconds) [began, seconds] = [second, 180 + random() * 1020];
    return Math.max(0, (30 + (420 * (second - began)) / seconds) * (1 + noise()));
  };
}

/** Crowds that come and go within five seconds. */
export function flashCrowds(random: () => number): Series {
  const crowds = spellsOf(random, { count: 8, leastSeconds: 300, mostSeconds: 1200 });
  const quiet = tide(random, 40, 20);
  const edgeSeconds = 5;
  return (second) => {
    const edges = crowds.map(({ from, seconds }) =>
      Math.min(1, Math.max(0, Math.min(second - from, from + seconds - second) / edgeSeconds)),
    );
    return quiet(second) * (1 + 9 * Math.max(0, ...edges));
  };
}

interface Spell {
  readonly from: number;
  readonly seconds: number;
}

function spellsOf(
  random: () => number,
  { count, leastSeconds, mostSeconds }: { count: number; leastSeconds: number; mostSeconds: number },
): Spell[] {
  return Array.from({ length: count }, () => ({
    from: random() * DAY_SECONDS,
    seconds: leastSeconds + random() * (mostSeconds - leastSeconds),
  }));
}

function isWithin({ from, seconds }: Spell, second: number): boolean {
  return second >= from && second < from + seconds;
}

function level(second: number, mean: number, swing: number): number {
  return mean - swing * Math.cos((2 * Math.PI * second) / DAY_SECONDS);
}

/** A share around 0. It forgets a tenth each second: some seconds of it go together. */
function noiseOf(random: () => number): () => number {
  let noise = 0;
  return () => (noise = 0.9 * noise + 0.1 * (random() + random() + random() - 1.5));
}
