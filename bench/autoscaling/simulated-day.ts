import type { ScaleSettings } from "../../core/records/releases/scale-settings.js";
import { decide, windowMsOf } from "../../monitor/autoscaling/autoscaler.js";
import { peakOf, withLoad, type LoadHistory } from "../../monitor/autoscaling/load-history.js";
import { CALM, calmAfter, MOST_COOLDOWNS } from "../../monitor/autoscaling/calm.js";
import { grownFrom, holdOf, judged, type Growth } from "../../monitor/autoscaling/growth.js";
import { stretchOf } from "../../monitor/autoscaling/stolen-time.js";
import type { Sample } from "../../core/records/hosts/sample.js";
import { sum } from "../statistics.js";
import { DAY_SECONDS } from "./demand.js";
import { Instances, type Work } from "./instances.js";
import type { Shape } from "./shapes.js";

/** One second of a simulated day. */
export interface Second extends Work {
  /** With visitors. */
  readonly instances: number;
  /** Paid for: also those that start. */
  readonly paid: number;
  /** CPU that visitors asked for, percent of one processor. */
  readonly demand: number;
  /** CPU an answer took, by what it takes usually. */
  readonly answerCost: number;
  /** Share of each processor that was stolen. */
  readonly stolenShare: number;
}

/** A day of the autoscaler's decisions on a made-up load, a look a second; no requests and no machines. */
export function simulatedDay(shape: Shape, settings: ScaleSettings, random: () => number): Second[] {
  const demand = shape.demand(random);
  const costOf = shape.answerCost?.(random);
  const steal = shape.stolen?.(random);
  const windows = {
    windowMs: windowMsOf(settings),
    keptMs: MOST_COOLDOWNS * settings.cooldownSeconds * 1000,
  };
  const cooldownMs = settings.cooldownSeconds * 1000;
  const instances = new Instances(shape, settings.min);
  const seconds: Second[] = [];
  let history: LoadHistory = [];
  let changedAt = 0;
  let calm = CALM;
  let growth: Growth | undefined;
  let coming: { readonly at: number; readonly to: number } | undefined;
  for (let second = 0; second < DAY_SECONDS; second++) {
    const now = second * 1000;
    if (coming?.at === second) {
      calm = calmAfter(calm, { from: instances.count, to: coming.to, at: now, cooldownMs });
      instances.resize(coming.to, second);
      [changedAt, coming] = [now, undefined];
    }
    const answerCost = costOf?.(second) ?? 1;
    const [asked, stolenShare] = [demand(second) * answerCost, steal?.(second) ?? 0];
    const work = instances.work(second, asked, stolenShare);
    const { count } = instances;
    const paid = Math.max(count, coming?.to ?? 0);
    const { used, wanted, available, stolen, done } = work;
    // One by one: a spread takes half of the whole simulation's time.
    seconds.push({
      used,
      wanted,
      available,
      stolen,
      done,
      instances: count,
      paid,
      demand: asked,
      answerCost,
      stolenShare,
    });
    // While a change is on its way nobody looks.
    if (coming !== undefined) continue;
    history = withLoad(
      history,
      { at: now, load: used * stretchOf(cpuOf(work, settings.max)), used },
      windows,
    );
    const { mean: load, meanUsed } = history.at(-1) ?? {};
    const effort =
      meanUsed === undefined ? undefined : { instances: count, used: meanUsed, answers: answersOf(seconds) };
    const isJudgeable = now - changedAt >= windows.windowMs;
    if (growth !== undefined && count < growth.before.instances) growth = undefined;
    if (growth !== undefined && effort !== undefined && isJudgeable && count > growth.before.instances)
      growth = judged(growth, effort, now);
    const verdict = decide({
      now,
      instances: count,
      settings,
      load,
      changedAt,
      peak: peakOf(history, now, calm.cooldowns * cooldownMs),
      calmCooldowns: calm.cooldowns,
      effort,
      hold: holdOf(growth, cooldownMs),
      askedAt: undefined,
      isReleasing: false,
      alert: undefined,
      cpus: settings.max,
    });
    if (verdict.kind !== "scale") continue;
    const { to } = verdict;
    if (to > count && effort !== undefined) growth = grownFrom(effort, growth);
    coming = { at: second + shape.startSeconds, to };
  }
  return seconds;
}

/** As the host's sample says it, in percent of all its processors. */
function cpuOf({ used, stolen }: Work, cpus: number): Sample["cpu"] {
  return { user: used / cpus, system: 0, iowait: 0, steal: stolen / cpus, busy: (used + stolen) / cpus };
}

/** Within the last 15 s; an answer usually takes 10 ms of CPU. */
function answersOf(seconds: readonly Second[]): number {
  return sum(seconds.slice(-15).map(({ done, answerCost }) => done / answerCost));
}
