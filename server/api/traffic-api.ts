import { Router } from "express";
import { z } from "zod";
import { AppError } from "../../core/app-error.js";
import { groupBy } from "../../core/group-by.js";
import { merged, type TrafficEntry } from "../../core/records/traffic-series.js";
import { FIGURES, percentileMs, sumOf, type Traffic } from "../../core/records/traffic.js";
import type { Tools } from "../tools.js";

const HOUR_MS = 3_600_000;
/** Seconds are kept for an hour, minutes for 30 days. */
const LONGEST_MS = { 1: HOUR_MS, 60: 30 * 24 * HOUR_MS } as const;

/** `GET /apps/APP/traffic?from&to&step`: what the proxies counted, as a series for each release and track, and in all. */
export function trafficApi({ apps, traffic, clock }: Pick<Tools, "apps" | "traffic" | "clock">): Router {
  const router = Router();
  router.get("/apps/:app/traffic", async (request, response) => {
    const { name } = await apps.read(request.params.app);
    const { from, to, step } = parseRange(request.query, clock.now());
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
    });
  });
  return router;
}

/** Points without traffic are left out. */
export function seriesOf(entries: readonly TrafficEntry[], stepSeconds: number): object[] {
  const stepMs = stepSeconds * 1000;
  const points = entries.flatMap(({ at, releases }) =>
    releases.map((traffic) => ({ at: Math.floor(at / stepMs) * stepMs, traffic })),
  );
  const byRelease = groupBy(points, ({ traffic: { release, track } }) => `${release} ${track}`);
  return [...byRelease.values()].map((same) => {
    const { release, track } = same[0]?.traffic ?? {};
    const byTime = [...groupBy(same, ({ at }) => at)].sort(([first], [second]) => first - second);
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
function figuresOf(traffic: Traffic): Record<string, number | null> {
  const percentile = (q: number): number | null => percentileMs(traffic, q) ?? null;
  return {
    ...Object.fromEntries(FIGURES.map((figure) => [figure, traffic[figure]])),
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
    p999: percentile(0.999),
  };
}

const timeSchema = z
  .string()
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text)))
  .refine((at) => at >= 0 && at < 1e14, "is no time (ISO 8601, or milliseconds since 1970)");

const querySchema = z.object({
  from: timeSchema.optional(),
  to: timeSchema.optional(),
  step: z.enum(["1", "60"]).default("60"),
});

/** The last hour by the minute, if nothing is said. */
function parseRange(query: unknown, now: number): { from: number; to: number; step: 1 | 60 } {
  const parsed = querySchema.safeParse(query);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join(".")}: ${message}`,
    );
    throw new AppError("request-invalid", { problem: problems.join("; ") });
  }
  const step = parsed.data.step === "1" ? 1 : 60;
  // What is written at this very moment belongs to it.
  const to = parsed.data.to ?? now + 1000;
  const from = parsed.data.from ?? Math.max(0, to - HOUR_MS);
  if (from >= to) throw new AppError("request-invalid", { problem: "from: is not before to" });
  if (to - from > LONGEST_MS[step])
    throw new AppError("request-invalid", {
      problem: `from: more than ${LONGEST_MS[step] / HOUR_MS} hours before to, with step=${step}`,
    });
  return { from, to, step };
}
