import type { Request } from "express";
import type { z } from "zod";
import { AppError } from "../../../core/errors/app-error.js";

/** A request's JSON body. Throws `request-invalid`. */
export function parseBody<T>(schema: z.ZodType<T>, request: Request): T {
  return parse(schema, request.body ?? {});
}

/** Throws `request-invalid`, with all that is wrong. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues
    .map((issue) => `${issue.path.map(String).join(".") || "the body"}: ${issue.message}`)
    .join("; ");
  throw new AppError("request-invalid", { problem });
}
