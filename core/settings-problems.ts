/** "prot: unknown key; did you mean port?" for the keys of one object. */
export function unknownKeyProblem(path: string, keys: readonly string[], known: readonly string[]): string {
  const prefix = path === "" ? "" : `${path}.`;
  return keys
    .map((key) => {
      const near = nearest(key, known);
      return `${prefix}${key}: unknown key${near === undefined ? "" : `; did you mean ${prefix}${near}?`}`;
    })
    .join("; ");
}

function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, word.length / 3) ? best.candidate : undefined;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
