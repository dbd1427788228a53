/** `2026-01-31 09:30:00`, from a time in a record. */
export function utcTime(at: string): string {
  return at.slice(0, 19).replace("T", " ");
}
