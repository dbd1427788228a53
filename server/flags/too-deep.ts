/** A flag that people read has a few levels. What recurses over values runs out of stack somewhere beyond a thousand. */
export const DEEPEST = 100;

/** Whether objects and arrays of parsed JSON stand in one another deeper than that. Itself without recursion. */
export function tooDeep(json: unknown): boolean {
  let level = [json];
  for (let depth = 0; depth <= DEEPEST; depth++) {
    level = level.flatMap(childrenOf);
    if (level.length === 0) return false;
  }
  return true;
}

function childrenOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value) : [];
}
