import { Router } from "express";
import {
  trafficStepSchema,
  type TrafficAnswer,
  type TrafficFigures,
} from "../../../core/api/apps/traffic.js";
import { AppError } from "../../../core/errors/app-error.js";
import { groupBy } from "../../../core/group-by.js";
import { merged, type TrafficEntry } from "../../../core/records/traffic/traffic-series.js";
import { percentileMs, sumOf, type Traffic } from "../../../core/records/traffic/traffic.js";
import { needs } from "../guards/needs.js";
import type { ApiNeeds } from "../needs.js";
import { parseRange } from "../requests/parse-range.js";

const HOUR_MS = 3_600_000;
/** Seconds are kept for an hour, minutes for 30 days. */
const LONGEST_MS = { 1: HOUR_MS, 60: 30 * 24 * HOUR_MS } as const;

/** `GET /apps/APP/traffic?from&to&step`: what the proxies counted, as a series for each release and track, and in all. */
export function trafficApi({ apps, traffic, clock }: Pick<ApiNeeds, "apps" | "traffic" | "clock">): Router {
  const router = Router();
  router.get("/apps/:app/traffic", needs.app("read"), async (request, response) => {
    const { name } = await apps.read(request.params.app);
    const { from, to, step } = parseQuery(request.query, clock.now());
    const entries = await traffic.read(name, { from, to, stepSeconds: step });
    response.json({
      app: name,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      step,
      series: seriesOf(entries, step),
      totals: merged(entries.flatMap(({ releases }) => releases)).map((sum) => ({
        release: sum.release,
        track: sum.track,
        ...figuresOf(sum),
      })),
    } satisfies TrafficAnswer);
  });
  return router;
}

/** Points without traffic are left out. */
function seriesOf(entries: readonly TrafficEntry[], stepSeconds: number): TrafficAnswer["series"] {
  const stepMs = stepSeconds * 1000;
  const points = entries.flatMap(({ at, releases }) =>
    releases.map((traffic) => ({ at: Math.floor(at / stepMs) * stepMs, traffic })),
  );
  const byRelease = groupBy(points, ({ traffic: { release, track } }) => `${release} ${track}`);
  return [...byRelease.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const { release, track } = first.traffic;
    const byTime = [...groupBy(same, ({ at }) => at)].sort(([a], [b]) => a - b);
    return {
      release,
      track,
      points: byTime.map(([at, parts]) => {
        const sum = sumOf(parts.map(({ traffic }) => traffic));
        return { at: new Date(at).toISOString(), ...figuresOf(sum) };
      }),
    };
  });
}

/** Percentiles in milliseconds, null without an answer, in the place of the histogram. */
function figuresOf(traffic: Traffic): TrafficFigures {
  const percentile = (q: number): number | null => percentileMs(traffic, q) ?? null;
  const { requests, answersOk, answers4xx, answers5xx, failed, bytes, visitors, goals } = traffic;
  return {
    ...{ requests, answersOk, answers4xx, answers5xx, failed, bytes, visitors, goals },
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
    p999: percentile(0.999),
  };
}

/** The last hour by the minute, if nothing is said. */
function parseQuery(query: unknown, now: number): { from: number; to: number; step: 1 | 60 } {
  const parsed = trafficStepSchema.safeParse(query);
  if (!parsed.success) throw new AppError("request-invalid", { problem: "step: must be 1 or 60" });
  const step = parsed.data.step === "1" ? 1 : 60;
  return { ...parseRange(query, now, { usualMs: HOUR_MS, longestMs: LONGEST_MS[step], step }), step };
}
