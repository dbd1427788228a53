import type { Pending } from "../../core/api/pending.js";

/** What a command has done, but not yet everywhere. */
export function pendingLines(pending: Pending | null): string[] {
  return pending === null ? [] : [` !     ${pending.message}`, ` !     ${pending.hint}`];
}
