/** What became of one request. */
export interface Answer {
  /** When it was due, ms since 1970. */
  readonly at: number;
  /** From when it was due to the end of its answer. */
  readonly ms: number;
  readonly connection: "kept" | "new";
  /** The release that answered. */
  readonly release?: number;
  /** Why it counts as failed. */
  readonly problem?: string;
}

export function isFailed({ problem }: Answer): boolean {
  return problem !== undefined;
}

/** `3 × ECONNRESET (new), …`, the commonest first; empty for none. */
export function problemsText(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const { problem, connection } of answers) {
    if (problem === undefined) continue;
    const text = `${problem} (${connection} connection)`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([text, count]) => `${count} × ${text}`).join(", ");
}
