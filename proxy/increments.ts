import { z } from "zod";
import { groupBy } from "../core/group-by.js";
import type { AppTraffic } from "../core/records/traffic/traffic-series.js";
import { FIGURES, noTraffic, sumOf, type Traffic } from "../core/records/traffic/traffic.js";
import type { Count } from "./proxy.js";

const countSchema = z.number().int().nonnegative();

/** A counter's values when it was last read. */
export const counterMarkSchema = z.object({
  requests: countSchema,
  answers4xx: countSchema,
  answers5xx: countSchema,
  bytes: countSchema,
  visitors: countSchema,
  goals: countSchema,
  visitorsWithErrors: countSchema.default(0),
  visitorsWithManyErrors: countSchema.default(0),
  visitorsOverP90: countSchema.default(0),
  visitorsOverP99: countSchema.default(0),
  faults: countSchema.default(0),
  latencies: z.record(z.string(), countSchema),
  /** How many requests that an instance took and did not answer were counted before the slot's errors included them. */
  unblamed: countSchema.default(0),
  /** How many answers from 400 on were counted before all answers included them. */
  ahead: countSchema,
});

/** A slot's errors when they were last read. */
export const slotMarkSchema = z.object({
  errors: countSchema,
  /** How many 5xx answers of instances were counted before the errors included them. */
  ahead: countSchema,
});

type CounterMark = z.infer<typeof counterMarkSchema>;
type SlotMark = z.infer<typeof slotMarkSchema>;

/** The last values of counters (`PROCESS KEY`) and slots (`PROCESS SLOT`). */
export interface Baseline {
  readonly counters: ReadonlyMap<string, CounterMark>;
  readonly slots: ReadonlyMap<string, SlotMark>;
}

export interface Growth {
  readonly traffic: readonly AppTraffic[];
  /** The changed entries of the baseline. */
  readonly changed: Baseline;
  /** Each counter and slot of `changed` → its app, whose traffic must be written together with it. */
  readonly appOf: ReadonlyMap<string, string>;
  /** What is no longer counted. */
  readonly gone: { readonly counters: readonly string[]; readonly slots: readonly string[] };
}

/** One counter's growth. */
interface Grown {
  /** Its name in the baseline. */
  readonly name: string;
  readonly count: Count;
  readonly traffic: Traffic;
  readonly mark: CounterMark;
  /** Requests that have begun and have no answer yet. */
  readonly unanswered: number;
}

/**
 * What was counted since the baseline, summed up by release and track, and separately for visitors who asked for the release.
 * A counter that has decreased began again at zero. Pure. `all`: whatever is not among the counts is gone.
 */
export function increments(counts: readonly Count[], before: Baseline, all: boolean): Growth {
  const counters = new Map<string, CounterMark>();
  const slots = new Map<string, SlotMark>();
  const appOf = new Map<string, string>();
  const grown = counts.map((count): Grown => {
    const name = `${count.process} ${count.key}`;
    return { name, count, ...growth(count, before.counters.get(name), all) };
  });
  const bySlot = groupBy(grown, ({ count: { process, slot } }) => slot && `${process} ${slot.name}`);
  for (const [name, members] of bySlot) {
    if (name === undefined) continue;
    // A slot belongs to one release at a time.
    appOf.set(name, nameOfApp(members[0]?.count));
    const mark = blameFailures(members, before.slots.get(name));
    if (!isSame(mark, before.slots.get(name))) slots.set(name, mark);
  }
  for (const { name, count, mark } of grown) {
    appOf.set(name, nameOfApp(count));
    if (!isSame(mark, before.counters.get(name))) counters.set(name, mark);
  }
  return {
    traffic: byReleaseAndTrack(grown),
    changed: { counters, slots },
    appOf,
    gone: all ? goneFrom(before, counts) : { counters: [], slots: [] },
  };
}

function nameOfApp(count: Count | undefined): string {
  return count?.release.split("/")[0] ?? "";
}

const COUNTED = [
  ...(["requests", "answers4xx", "answers5xx", "bytes"] as const),
  ...(["visitors", "goals"] as const),
  ...(["visitorsWithErrors", "visitorsWithManyErrors", "visitorsOverP90", "visitorsOverP99"] as const),
];

function growth(
  count: Count,
  before: CounterMark | undefined,
  all: boolean,
): Pick<Grown, "traffic" | "mark" | "unanswered"> {
  const beganAnew = before === undefined || COUNTED.some((figure) => wentDown(figure, count, before));
  const traffic = noTraffic();
  for (const figure of COUNTED)
    traffic[figure] = beganAnew ? count[figure] : difference(count[figure], before[figure]);
  // HAProxy forgets a bucket that has had no answers for long.
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
  const { requests, answers4xx, answers5xx, bytes, faults } = count;
  const { visitors, goals } = count;
  const { visitorsWithErrors, visitorsWithManyErrors, visitorsOverP90, visitorsOverP99 } = count;
  const ahead = Math.max(0, -ok);
  const moreFaults = beganAnew ? faults : difference(faults, before.faults);
  const unblamed = Math.max(0, (beganAnew ? 0 : before.unblamed) + moreFaults - traffic.answers5xx);
  return {
    traffic,
    mark: {
      ...{ requests, answers4xx, answers5xx, bytes, faults },
      ...{ visitors, goals },
      ...{ visitorsWithErrors, visitorsWithManyErrors, visitorsOverP90, visitorsOverP99 },
      ...{ latencies, unblamed, ahead },
    },
    unanswered: traffic.requests - answers,
  };
}

/**
 * Errors that are no instance's answer are failures of the slot's release. They are attributed first to counters with requests
 * that an instance took and did not answer, then to counters with requests that were not answered at all, and finally to the
 * counter with the most new requests.
 */
function blameFailures(members: readonly Grown[], before: SlotMark | undefined): SlotMark {
  const errors = members[0]?.count.slot?.errors ?? 0;
  const answers = members.reduce((sum, { traffic }) => sum + traffic.answers5xx, 0);
  const failed = difference(errors, before?.errors ?? 0) - answers - (before?.ahead ?? 0);
  const busiest = members.reduce((most, member) =>
    member.traffic.requests >= most.traffic.requests ? member : most,
  );
  let left = Math.max(0, failed);
  const blame = ({ traffic }: Grown, most: number): number => {
    const blamed = Math.max(0, Math.min(left, most));
    traffic.failed += blamed;
    left -= blamed;
    return blamed;
  };
  for (const member of members) member.mark.unblamed -= blame(member, member.mark.unblamed);
  for (const member of [...members].sort((one, other) => other.unanswered - one.unanswered))
    blame(member, member.unanswered - member.traffic.failed);
  blame(busiest, left);
  return { errors, ahead: Math.max(0, -failed) };
}

function byReleaseAndTrack(grown: readonly Grown[]): AppTraffic[] {
  const groups = groupBy(grown, ({ count: { release, track, asked } }) =>
    [release, track, asked].join(" "),
  ).values();
  return [...groups].flatMap((same): AppTraffic[] => {
    const sum = sumOf(same.map(({ traffic }) => traffic));
    const [app = "", release = ""] = (same[0]?.count.release ?? "").split("/");
    const isSomething = FIGURES.some((figure) => sum[figure] > 0) || Object.keys(sum.latencies).length > 0;
    const { track = "", asked = false } = same[0]?.count ?? {};
    return isSomething ? [{ app, release, track, ...(asked ? { asked } : {}), ...sum }] : [];
  });
}

/** A process without counts may still have slots that count, so its slots are only dropped when another process counts. */
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

/** HAProxy's counters have 32 bits, except for that of the bytes, which has 64. */
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
