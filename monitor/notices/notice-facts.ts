import type { Clock } from "../../core/clock.js";
import type { AlertNotice } from "../../core/records/alerts/alert-notice.js";
import type { AlertRecords } from "../../core/records/alerts/alert-records.js";
import type { HostRecord } from "../../core/records/hosts/host-record.js";
import type { HostRecords } from "../../core/records/hosts/host-records.js";
import type { Metric } from "../../core/records/hosts/sample.js";
import type { SampleSeries } from "../../core/records/hosts/sample-series.js";
import type { Measured } from "../rules/evaluate-rule.js";

/** What belongs to a notice, as it is known when it is sent. */
export interface NoticeFacts {
  /** Undefined: it was forgotten. */
  readonly host: HostRecord | undefined;
  /** Before the turn, oldest first. */
  readonly points: readonly Measured[];
  /** What one point stands for. */
  readonly stepMs: number;
  /** ms since 1970. */
  readonly sentAt: number;
  /** It ended before this could be sent. */
  readonly isOver: boolean;
}

export interface FactSources {
  readonly series: SampleSeries;
  readonly hosts: HostRecords;
  readonly alerts: AlertRecords;
  readonly clock: Clock;
}

export const SHOWN_MS = 15 * 60_000;

/** Seconds are kept for an hour. */
const FINE = { stepSeconds: 5, forMs: 40 * 60_000 };
const COARSE_SECONDS = 60;

/** What cannot be read is left out: the news matters more than what belongs to it. */
export async function gatherFacts(notice: AlertNotice, sources: FactSources): Promise<NoticeFacts> {
  const { hosts, clock } = sources;
  const sentAt = clock.now();
  const stepSeconds = sentAt - notice.at < FINE.forMs ? FINE.stepSeconds : COARSE_SECONDS;
  const [host, points, isOver] = await Promise.all([
    hosts.find(notice.alert.host).catch(() => undefined),
    pointsOf(notice, sources, stepSeconds).catch(() => []),
    hasEnded(notice, sources).catch(() => false),
  ]);
  return { host, points, stepMs: stepSeconds * 1000, sentAt, isOver };
}

/** Of a silent host the processor: when it was heard of last. */
export function shownMetric({ rule }: AlertNotice): Metric {
  return rule?.metric ?? "cpu";
}

async function pointsOf(
  notice: AlertNotice,
  { series }: FactSources,
  stepSeconds: number,
): Promise<Measured[]> {
  const metric = shownMetric(notice);
  const range = { from: notice.at - SHOWN_MS, to: notice.at + 1, stepSeconds };
  const points = await series.range(notice.alert.host, range);
  return points.flatMap(({ at, mean }) => {
    const value = mean[metric];
    return value === undefined ? [] : [{ at, value }];
  });
}

async function hasEnded({ turn, alert }: AlertNotice, { alerts }: FactSources): Promise<boolean> {
  if (turn === "resolved") return true;
  const now = (await alerts.current()).find(({ id }) => id === alert.id);
  return now === undefined || now.phase === "resolved";
}
