import type { CatalogueEntry } from "./catalogue-entry.js";
import { catalogue } from "./error-catalogue.js";

/**
 * The one error type that people see, made from a catalogue: what happened (`message`, with the values), what to do
 * now (`hint`), the HTTP status it answers with, and whether trying again unchanged can help. `docs/errors.md` lists it.
 */
export class AppError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly hint: string;
  /** HTTP status, 4xx or 5xx. */
  readonly status: number;
  readonly retriable: boolean;
  /** When trying again can help, where that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: Code,
    values: ErrorValues<Code>,
    { retryAfterSeconds, ...options }: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    // The index type of a generic key is the union of all entries; the entry for `Code` takes `ErrorValues<Code>`.
    const entry = catalogue[code] as CatalogueEntry<ErrorValues<Code>>;
    super(entry.message(values), options);
    this.name = "AppError";
    this.code = code;
    this.hint = entry.hint(values);
    this.status = entry.status;
    this.retriable = entry.retriable;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What an unexpected thing looks like to a person: an `AppError` as it is, anything else as an internal error. */
export function toAppError(error: unknown): AppError {
  if (isAppError(error)) return error;
  return new AppError(
    "internal",
    { reason: error instanceof Error ? error.message : String(error) },
    { cause: error },
  );
}

/** Whether it is one of ours; with `codes`, one of those. */
export function isAppError<Code extends ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is AppError<Code> {
  return error instanceof AppError && (codes.length === 0 || codes.some((code) => code === error.code));
}

export type ErrorCode = keyof typeof catalogue;
type ErrorValues<Code extends ErrorCode> = Parameters<(typeof catalogue)[Code]["message"]>[0];
