import type { z } from "zod";
import { AppError } from "../../core/errors/app-error.js";

const SHOWN_PROBLEMS = 3;

/**
 * An answer of the server, as it came: what a later server adds to it stays, for `--json`. `request`: what was asked, for a
 * person. Throws `answer-unreadable` when it has not the shape.
 */
export function checkAnswer<T>(schema: z.ZodType<T, T>, value: unknown, request: string): T {
  const { success, error } = schema.safeParse(value);
  // The schema changes nothing (its input and output are of one type), and has just said that this is one.
  if (success) return value as T;
  const problems = error.issues
    .slice(0, SHOWN_PROBLEMS)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`));
  throw new AppError("answer-unreadable", { request, problem: problems.join("; ") });
}
