/** `2026-01-31 09:30:00`, of a time as records have it. */
export function utcTime(at: string): string {
  return at.slice(0, 19).replace("T", " ");
}
