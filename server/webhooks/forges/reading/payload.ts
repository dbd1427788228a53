import type { z } from "zod";
import { AppError } from "../../../../core/errors/app-error.js";
import type { Incoming } from "../forge.js";
import { headerOf } from "./header.js";

/** The JSON of a delivery: its body, or the field `payload` of a form. Throws `webhook-malformed`. */
export function jsonOf(incoming: Incoming): unknown {
  const text = isForm(incoming) ? formPayload(incoming) : incoming.body.toString();
  if (text === undefined) throw malformed("the form must have exactly one field `payload`");
  try {
    return JSON.parse(text);
  } catch {
    // Its message would quote the payload.
    throw malformed(isForm(incoming) ? "the field `payload` is not JSON" : "the body is not JSON");
  }
}

/** What a schema reads of it; nothing else in it is looked at. Throws `webhook-malformed`. */
export function shapeOf<T>(json: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw malformed(parsed.error.issues.map(problemOf).join("; "));
}

export function isForm({ headers }: Incoming): boolean {
  const [type = ""] = (headerOf(headers, "content-type") ?? "").split(";");
  return type.trim().toLowerCase() === "application/x-www-form-urlencoded";
}

/** The text of a form's one `payload`, undefined when there is none or a second. */
export function formPayload({ body }: Incoming): string | undefined {
  const [payload, ...more] = new URLSearchParams(body.toString()).getAll("payload");
  return more.length === 0 ? payload : undefined;
}

function problemOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join(".");
  return `${path === "" ? "the payload" : path}: ${issue.message}`;
}

function malformed(problem: string): AppError {
  return new AppError("webhook-malformed", { problem });
}
