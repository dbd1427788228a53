const DAY_MS = 86_400_000;

/**
 * How long browsers are to ask for nothing but https, by how long an app has had a certificate: a careful start, since what a
 * browser has heard cannot be taken back. Pure.
 */
export function hstsSeconds(ageMs: number): number {
  if (ageMs < DAY_MS) return 300;
  if (ageMs < 7 * DAY_MS) return 86_400;
  return 15_552_000;
}
