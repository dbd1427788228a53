import type { Pending } from "../../core/api/pending.js";

/** The warning that a command's change has not yet reached every proxy. */
export function pendingLines(pending: Pending | null): string[] {
  return pending === null ? [] : [` !     ${pending.message}`, ` !     ${pending.hint}`];
}
