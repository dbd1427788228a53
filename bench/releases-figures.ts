import type { BenchRun } from "./bench.js";
import { isFailed, problemsText, type Answer } from "./load/answer.js";
import { median, quantile } from "./statistics.js";
import type { StickyTally } from "./visitors/sticky.js";
import type { SocketTally } from "./visitors/web-sockets.js";

/** From and to, ms since 1970. */
export type Period = readonly [from: number, to: number];

export interface Course {
  /** When releases went on, and about as long when none did. */
  readonly during: Period[];
  readonly before: Period[];
  /** When the push of each release had ended: no later request may meet an earlier release. */
  readonly liveSince: Map<number, number>;
  releases: number;
  stickyReleases: number;
}

export function tellFailures(
  { figure }: BenchRun,
  { course, answers, perSecond }: { course: Course; answers: readonly Answer[]; perSecond: number },
): void {
  const failed = answers.filter(isFailed);
  figure({
    name: "failed requests",
    value: failed.length,
    unit: "",
    aim: { atMost: 0 },
    ...(failed.length === 0 ? {} : { spread: problemsText(failed) }),
    method: `Of ${answers.length} at ${perSecond}/s on a fixed schedule, half over kept and half over new connections, none sent twice, through ${course.releases} releases of the app they go to, ${course.stickyReleases} of another, and the time between; network errors, a status other than 200 and a wrong body count.`,
  });
  const late = answers.filter(
    ({ at, release: by }) => by !== undefined && at > (course.liveSince.get(by + 1) ?? Infinity),
  );
  figure({
    name: "requests answered by an old release after the push had ended",
    value: late.length,
    unit: "",
    aim: { atMost: 0 },
    method:
      "Of the same requests, those due after the end of the git push of a later release than the one that answered.",
  });
}

export function tellLatencies({ figure }: BenchRun, course: Course, answers: readonly Answer[]): void {
  const before = latencies(answers, course.before);
  const during = latencies(answers, course.during);
  const shares = [
    ["p50", 0.5],
    ["p99", 0.99],
    ["p99.9", 0.999],
  ] as const;
  for (const [name, share] of shares) {
    figure({
      name: `${name} latency during releases`,
      value: quantile(during, share),
      unit: "ms",
      spread: `before: ${quantile(before, share).toFixed(2)} ms`,
      method: `From when a request was due to the end of its answer: ${during.length} requests while releases went on, ${before.length} in quiet times about as long, between them.`,
    });
  }
  figure({
    name: "p99 during / before",
    value: quantile(during, 0.99) / quantile(before, 0.99),
    unit: "×",
    aim: { atMost: 2 },
    method:
      "The ratio of the two; on few cores it holds the price of starting processes beside the load, too.",
  });
  const blocks = course.during.map((period, index) => {
    const quiet = course.before[index];
    return (
      quantile(latencies(answers, [period]), 0.99) /
      quantile(latencies(answers, quiet === undefined ? [] : [quiet]), 0.99)
    );
  });
  figure({
    name: "p99 during / before, median of blocks",
    value: median(blocks),
    unit: "×",
    method: `The same ratio for each block of releases and the quiet time before it, so that one bad moment of the machine counts once.`,
  });
}

function latencies(answers: readonly Answer[], periods: readonly Period[]): number[] {
  return answers.filter(({ at }) => periods.some(([from, to]) => at >= from && at < to)).map(({ ms }) => ms);
}

export function tellVisitors({ figure }: BenchRun, sockets: SocketTally, sticky: StickyTally): void {
  const { opened, cut, moved, messages } = sockets;
  figure({
    name: "WebSockets cut or moved",
    value: cut + moved,
    unit: "",
    aim: { atMost: 0 },
    method: `Of ${opened} in turns, 20 open at a time, each through up to 5 releases: those refused, or closed before their visitor left, and answers (of ${messages}) from another release than the one they began on.`,
  });
  const { visitors, visits, astray } = sticky;
  figure({
    name: "sticky visits astray",
    value: astray,
    unit: "",
    aim: { atMost: 0 },
    method: `Of ${visits} visits by ${visitors} visitors of an app with "sessions": "sticky", those not answered by the release the visitor met first; no cookie at all counts, too.`,
  });
}
