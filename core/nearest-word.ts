/**
 * The candidate that `word` was probably meant to be: one slip away, or one in four characters of a longer word, with the
 * same first letter (a swap aside). Undefined when none is that near: a wrong guess ("deploy", did you mean destroy?) is
 * worse than none.
 */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  const allowed = Math.max(1, Math.floor(word.length / 4));
  const first = word.charAt(0).toLowerCase();
  const ranked = candidates
    .filter((candidate) => candidate.toLowerCase().startsWith(first) || isSwapped(word, candidate))
    .map((candidate) => ({ candidate, slips: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, slips }) => slips <= allowed && Math.min(word.length, candidate.length) > 2 * slips)
    .sort((a, b) => a.slips - b.slips);
  return ranked[0]?.candidate;
}

function isSwapped(word: string, candidate: string): boolean {
  const [a, b] = [word.toLowerCase(), candidate.toLowerCase()];
  return a[0] === b[1] && a[1] === b[0];
}

/** Characters inserted, deleted, replaced, or swapped with their neighbour (optimal string alignment), one row at a time. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (beforeLast[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced, swapped));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
