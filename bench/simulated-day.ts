import type { ScaleSettings } from "../core/records/releases/scale-settings.js";
import { decide, windowMsOf } from "../monitor/autoscaling/autoscaler.js";
import { peakOf, withLoad, type LoadHistory } from "../monitor/autoscaling/load-history.js";

const DAY_SECONDS = 86_400;
/** From the decision until new instances have visitors, or one that goes has none. */
const CHANGE_SECONDS = 3;
/** What an instance can take of a processor. */
const MOST_CPU = 100;

/** Per second: how many instances there were, what was asked of all of them together, and what the decisions saw of it. */
export interface Second {
  readonly instances: number;
  /** CPU that the visitors would need, percent of one processor. */
  readonly demand: number;
  /** Mean of the last seconds, as measured; undefined at the beginning. */
  readonly load: number | undefined;
  readonly changed: boolean;
}

/** A day of the autoscaler's decisions on a given load, a look a second; no requests and no machines. */
export function simulatedDay(settings: ScaleSettings, random: () => number): Second[] {
  const demand = noisyDay(random);
  const seconds: Second[] = [];
  let history: LoadHistory = [];
  let [instances, changedAt] = [settings.min, 0];
  let coming: { readonly at: number; readonly to: number } | undefined;
  for (let second = 0; second < DAY_SECONDS; second++) {
    const now = second * 1000;
    const changed = coming?.at === second;
    if (coming !== undefined && changed) [instances, changedAt, coming] = [coming.to, now, undefined];
    const asked = demand(second);
    const load = Math.min(asked, instances * MOST_CPU);
    history = withLoad(
      history,
      { at: now, load },
      { windowMs: windowMsOf(settings), keptMs: settings.cooldownSeconds * 1000 },
    );
    const { mean } = history.at(-1) ?? { mean: undefined };
    seconds.push({ instances, demand: asked, load: mean, changed });
    if (coming !== undefined) continue;
    const verdict = decide({
      ...{ now, instances, settings, load: mean, changedAt },
      peak: peakOf(history, now, settings.cooldownSeconds * 1000),
      askedAt: undefined,
      isReleasing: false,
      alert: undefined,
      cpus: settings.max,
    });
    if (verdict.kind === "scale") coming = { at: second + CHANGE_SECONDS, to: verdict.to };
  }
  return seconds;
}

/** Quiet at night and busy in the afternoon; bursts of minutes; noise that lasts some seconds. Percent of one processor. */
function noisyDay(random: () => number): (second: number) => number {
  const [mean, swing, bursts] = [170, 140, 24];
  const peaks = Array.from({ length: bursts }, () => ({
    from: random() * DAY_SECONDS,
    seconds: 30 + random() * 570,
    load: 40 + random() * 160,
  }));
  let noise = 0;
  return (second) => {
    // Forgets a tenth each second: some seconds of it go together.
    noise = 0.9 * noise + 0.1 * (random() + random() + random() - 1.5);
    const tide = mean - swing * Math.cos((2 * Math.PI * second) / DAY_SECONDS);
    const burst = peaks
      .filter(({ from, seconds }) => second >= from && second < from + seconds)
      .reduce((sum, { load }) => sum + load, 0);
    return Math.max(0, (tide + burst) * (1 + noise));
  };
}
