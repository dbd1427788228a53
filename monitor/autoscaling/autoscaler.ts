import { durationText } from "../../core/duration-text.js";
import type { ScaleSettings } from "../../core/records/releases/scale-settings.js";
import { isFutile, type Effort, type Hold } from "./growth.js";

/** What is known of an app's production when it is looked at. */
export interface ScaleView {
  /** ms since 1970. */
  readonly now: number;
  /** Of web, as the proxies know them. */
  readonly instances: number;
  readonly settings: ScaleSettings;
  /** CPU that all of them together wanted over the last seconds, percent of one processor; undefined: not known. */
  readonly load: number | undefined;
  /** The highest `load` within the last `calmCooldowns`; undefined: not all of that time is known. */
  readonly peak: number | undefined;
  /** When the number of instances changed last, or the release. */
  readonly changedAt: number;
  /** How long it must have been calm before instances go, in cooldowns. */
  readonly calmCooldowns: number;
  /** When a change was asked for that has not come. */
  readonly askedAt: number | undefined;
  readonly isReleasing: boolean;
  /** What an alert says that asks for more instances. */
  readonly alert: string | undefined;
  /** Over the last seconds; undefined: not known, or of no interest. */
  readonly effort: Effort | undefined;
  /** If the last increase did not help. */
  readonly hold: Hold | undefined;
  /** Processors of the machines that production may run on: an instance can use one. */
  readonly cpus: number;
}

export type ScaleVerdict =
  | { readonly kind: "scale"; readonly to: number; readonly reason: string }
  /** So many would be wanted; the machines have no processors for them. */
  | { readonly kind: "machines"; readonly wanted: number; readonly reason: string }
  /** So many would be wanted, but more of them did not help the last time: not before the pause after it is over. */
  | { readonly kind: "futile"; readonly wanted: number; readonly reason: string }
  | { readonly kind: "stay"; readonly reason: string };

/** Within this share around the target nothing is done. */
export const TOLERANCE = 0.1;

/** Over so long the load is averaged: short enough to follow a rise, long enough to see past a burst. */
export function windowMsOf({ cooldownSeconds }: ScaleSettings): number {
  return Math.min(15, cooldownSeconds) * 1000;
}

/**
 * How many instances production should have: so many that each takes `cpuTarget` of a processor. Up as soon as the last window
 * says so, at most to twice as many, but only now and then where the last increase did not help; down to as many as would have
 * done for `calmCooldowns`, at most to half as many; back to where it was, when a try did not help. Never outside `min` and `max`, never
 * while a release is under way. Pure.
 */
export function decide(view: ScaleView): ScaleVerdict {
  const { now, instances, settings, askedAt, isReleasing } = view;
  const { min, max, cooldownSeconds } = settings;
  if (isReleasing) return stay("a release is in progress");
  if (askedAt !== undefined && now - askedAt < cooldownSeconds * 1000)
    return stay("a change was already requested");
  if (instances < min) return { kind: "scale", to: min, reason: `min is ${min}` };
  if (instances > max) return { kind: "scale", to: max, reason: `max is ${max}` };
  const trial = failedTrial(view);
  if (trial !== undefined) return trial;
  const more = wantsMore(view);
  if (more !== undefined) return held(view, more) ?? withinMachines(view, more);
  return fewer(view) ?? stay(`${shown(view)}, target ${settings.cpuTarget} %`);
}

export function isHigh(load: number, instances: number, { cpuTarget }: ScaleSettings): boolean {
  return load > instances * cpuTarget * (1 + TOLERANCE);
}

interface Wish {
  readonly to: number;
  readonly reason: string;
}

function wantsMore(view: ScaleView): Wish | undefined {
  const { now, instances, settings, load, changedAt, alert } = view;
  const { max, cpuTarget, cooldownSeconds } = settings;
  if (instances === max) return undefined;
  const waitedMs = now - changedAt;
  // What new instances have changed is seen in a whole window only.
  if (load !== undefined && isHigh(load, instances, settings) && waitedMs >= windowMsOf(settings))
    return {
      to: Math.min(max, 2 * instances, Math.ceil(load / cpuTarget)),
      reason: `${shown(view)}, target ${cpuTarget} %`,
    };
  if (alert === undefined || waitedMs < cooldownSeconds * 1000) return undefined;
  return { to: instances + 1, reason: `alert: ${alert}` };
}

/** Alerts have reasons of their own. */
function held(view: ScaleView, { to, reason }: Wish): ScaleVerdict | undefined {
  const { now, instances, effort, hold, alert } = view;
  if (hold === undefined || effort === undefined || alert !== undefined || now >= hold.retryAt)
    return undefined;
  const { before, retryAt } = hold;
  // With as few as before there is nothing to compare.
  if (instances > before.instances && !isFutile(before, effort)) return undefined;
  const again = `tried again in ${durationText(retryAt - now)}`;
  return { kind: "futile", wanted: to, reason: `${reason}; ${whyFutile(before)}; ${again}` };
}

function failedTrial(view: ScaleView): ScaleVerdict | undefined {
  const { now, settings, changedAt, effort, hold, alert } = view;
  if (hold?.isTrial !== true || effort === undefined || alert !== undefined) return undefined;
  const { before, retryAt } = hold;
  if (now >= retryAt || now - changedAt < settings.cooldownSeconds * 1000) return undefined;
  if (!isFutile(before, effort)) return undefined;
  const again = `tried again in ${durationText(retryAt - now)}`;
  return { kind: "scale", to: before.instances, reason: `${whyFutile(before)}; ${again}` };
}

function whyFutile({ instances, used }: Effort): string {
  const each = (used / instances).toFixed(0);
  return `more instances did not lower the load: each of ${instances} used ${each} %, and an answer took less CPU`;
}

/** Beyond one instance a processor only other machines help. */
function withinMachines({ instances, cpus }: ScaleView, { to, reason }: Wish): ScaleVerdict {
  const most = Math.max(instances, Math.floor(cpus));
  if (most > instances) return { kind: "scale", to: Math.min(to, most), reason };
  return {
    kind: "machines",
    wanted: to,
    reason: `${reason}; ${instances} instances already use all ${Number(cpus.toFixed(1))} processors`,
  };
}

function fewer(view: ScaleView): ScaleVerdict | undefined {
  const { now, instances, settings, peak, changedAt, calmCooldowns, alert } = view;
  const { min, cpuTarget, cooldownSeconds } = settings;
  if (instances === min || alert !== undefined || peak === undefined) return undefined;
  if (now - changedAt < calmCooldowns * cooldownSeconds * 1000) return undefined;
  const needed = Math.ceil(peak / (cpuTarget * (1 - TOLERANCE)));
  const enough = Math.max(min, Math.ceil(instances / 2), needed);
  if (enough >= instances) return undefined;
  const each = peak / enough;
  const reason = `for ${calmCooldowns * cooldownSeconds} s, ${enough} would each have used at most ${each.toFixed(0)} % CPU, target ${cpuTarget} %`;
  return { kind: "scale", to: enough, reason };
}

function stay(reason: string): ScaleVerdict {
  return { kind: "stay", reason };
}

function shown({ load, instances }: ScaleView): string {
  if (load === undefined || instances === 0) return "CPU unknown";
  return `each of ${instances} uses ${(load / instances).toFixed(0)} % CPU`;
}
