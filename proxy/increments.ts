import { z } from "zod";
import { groupBy } from "../core/group-by.js";
import type { AppTraffic } from "../core/records/traffic-series.js";
import { FIGURES, noTraffic, sumOf, type Traffic } from "../core/records/traffic.js";
import type { Count } from "./proxy.js";

const countSchema = z.number().int().nonnegative();

/** How far a counter stood. */
export const counterMarkSchema = z.object({
  requests: countSchema,
  answers4xx: countSchema,
  answers5xx: countSchema,
  bytes: countSchema,
  visitors: countSchema,
  goals: countSchema,
  latencies: z.record(z.string(), countSchema),
  /** So many answers from 400 on were seen before they were seen among all answers. */
  ahead: countSchema,
});

/** How far the errors of a slot stood. */
export const slotMarkSchema = z.object({
  errors: countSchema,
  /** So many 5xx answers of instances were seen before they were seen among the errors. */
  ahead: countSchema,
});

type CounterMark = z.infer<typeof counterMarkSchema>;
type SlotMark = z.infer<typeof slotMarkSchema>;

/** How far counters (`PROCESS KEY`) and slots (`PROCESS SLOT`) stood. */
export interface Baseline {
  readonly counters: ReadonlyMap<string, CounterMark>;
  readonly slots: ReadonlyMap<string, SlotMark>;
}

export interface Growth {
  readonly traffic: readonly AppTraffic[];
  /** What changed in the baseline. */
  readonly changed: Baseline;
  /** What is counted no more. */
  readonly gone: { readonly counters: readonly string[]; readonly slots: readonly string[] };
}

/** One counter's growth. */
interface Grown {
  readonly count: Count;
  readonly traffic: Traffic;
}

/**
 * What was counted since the baseline, summed up by release and track. A counter that went down began anew at zero. Pure.
 * `all`: whatever is not among the counts is gone.
 */
export function increments(counts: readonly Count[], before: Baseline, all: boolean): Growth {
  const counters = new Map<string, CounterMark>();
  const slots = new Map<string, SlotMark>();
  const grown = counts.map((count): Grown => {
    const name = `${count.process} ${count.key}`;
    const { traffic, mark } = growth(count, before.counters.get(name), all);
    if (!isSame(mark, before.counters.get(name))) counters.set(name, mark);
    return { count, traffic };
  });
  const bySlot = groupBy(grown, ({ count: { process, slot } }) => slot && `${process} ${slot.name}`);
  for (const [name, members] of bySlot) {
    if (name === undefined) continue;
    const mark = blameFailures(members, before.slots.get(name));
    if (!isSame(mark, before.slots.get(name))) slots.set(name, mark);
  }
  return {
    traffic: byReleaseAndTrack(grown),
    changed: { counters, slots },
    gone: all ? goneFrom(before, counts) : { counters: [], slots: [] },
  };
}

const COUNTED = ["requests", "answers4xx", "answers5xx", "bytes", "visitors", "goals"] as const;

function growth(
  count: Count,
  before: CounterMark | undefined,
  all: boolean,
): { traffic: Traffic; mark: CounterMark } {
  const beganAnew = before === undefined || COUNTED.some((figure) => wentDown(figure, count, before));
  const traffic = noTraffic();
  for (const figure of COUNTED)
    traffic[figure] = beganAnew ? count[figure] : difference(count[figure], before[figure]);
  // A bucket that nobody was in for long is forgotten by itself.
  const latencies: Record<string, number> = all || before === undefined ? {} : { ...before.latencies };
  let answers = 0;
  for (const [bucket, now] of count.latencies) {
    const was = before?.latencies[bucket] ?? 0;
    const more = now < was && !isOverflow(now, was) ? now : difference(now, was);
    if (more > 0) traffic.latencies[bucket] = more;
    answers += more;
    latencies[bucket] = now;
  }
  const ok = answers - traffic.answers4xx - traffic.answers5xx - (beganAnew ? 0 : before.ahead);
  traffic.answersOk = Math.max(0, ok);
  const { requests, answers4xx, answers5xx, bytes, visitors, goals } = count;
  const ahead = Math.max(0, -ok);
  return {
    traffic,
    mark: { requests, answers4xx, answers5xx, bytes, visitors, goals, latencies, ahead },
  };
}

/** Errors that are no instance's answer are failures of the release that has the slot: the one with the most new requests. */
function blameFailures(members: readonly Grown[], before: SlotMark | undefined): SlotMark {
  const errors = members[0]?.count.slot?.errors ?? 0;
  const answers = members.reduce((sum, { traffic }) => sum + traffic.answers5xx, 0);
  const failed = difference(errors, before?.errors ?? 0) - answers - (before?.ahead ?? 0);
  const busiest = members.reduce((most, member) =>
    member.traffic.requests >= most.traffic.requests ? member : most,
  );
  busiest.traffic.failed += Math.max(0, failed);
  return { errors, ahead: Math.max(0, -failed) };
}

function byReleaseAndTrack(grown: readonly Grown[]): AppTraffic[] {
  const groups = groupBy(grown, ({ count: { release, track } }) => `${release} ${track}`).values();
  return [...groups].flatMap((same): AppTraffic[] => {
    const sum = sumOf(same.map(({ traffic }) => traffic));
    const [app = "", release = ""] = (same[0]?.count.release ?? "").split("/");
    const isSomething = FIGURES.some((figure) => sum[figure] > 0) || Object.keys(sum.latencies).length > 0;
    return isSomething ? [{ app, release, track: same[0]?.count.track ?? "", ...sum }] : [];
  });
}

/** A process that has not counted anything may still have slots that count on: those of it go when another one counts. */
function goneFrom(before: Baseline, counts: readonly Count[]): Growth["gone"] {
  const present = new Set(counts.map(({ process, key }) => `${process} ${key}`));
  const processes = new Set(counts.map(({ process }) => process));
  return {
    counters: [...before.counters.keys()].filter((name) => !present.has(name)),
    slots:
      processes.size === 0
        ? []
        : [...before.slots.keys()].filter((name) => !processes.has(name.split(" ")[0] ?? "")),
  };
}

/** HAProxy's counters have 32 bits, that of the bytes has 64. */
const OVERFLOW = 2 ** 32;

function wentDown(figure: (typeof COUNTED)[number], now: Count, before: CounterMark): boolean {
  return now[figure] < before[figure] && (figure === "bytes" || !isOverflow(now[figure], before[figure]));
}

function isOverflow(now: number, before: number): boolean {
  return before > OVERFLOW * 0.75 && now < OVERFLOW * 0.25;
}

function difference(now: number, before: number): number {
  return isOverflow(now, before) && now < before && before < OVERFLOW
    ? now + OVERFLOW - before
    : now - before;
}

function isSame(first: object, second: object | undefined): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}
