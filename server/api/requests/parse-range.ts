import { z } from "zod";
import { AppError } from "../../../core/errors/app-error.js";

const timeSchema = z
  .string()
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text)))
  .refine((at) => at >= 0 && at < 1e14, "is not a time (ISO 8601, or milliseconds since 1970)");

const rangeSchema = z.object({ from: timeSchema.optional(), to: timeSchema.optional() });

export interface RangeLimits {
  /** How long before `to` it begins, if nothing is said. */
  readonly usualMs: number;
  readonly longestMs: number;
  /** Seconds, for what is said about the limit. */
  readonly step: number;
}

/** `from` and `to` of a query, ms since 1970. Throws `request-invalid`. */
export function parseRange(
  query: unknown,
  now: number,
  { usualMs, longestMs, step }: RangeLimits,
): { from: number; to: number } {
  const parsed = rangeSchema.safeParse(query);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join(".")}: ${message}`,
    );
    throw new AppError("request-invalid", { problem: problems.join("; ") });
  }
  // What is written at this very moment belongs to it.
  const to = parsed.data.to ?? now + 1000;
  const from = parsed.data.from ?? Math.max(0, to - Math.min(usualMs, longestMs));
  if (from >= to) throw new AppError("request-invalid", { problem: "from: must be before to" });
  if (to - from > longestMs)
    throw new AppError("request-invalid", {
      problem: `from: more than ${Number((longestMs / 3_600_000).toFixed(2))} hours before to, with step=${step}`,
    });
  return { from, to };
}
