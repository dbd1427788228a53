export interface Way<T> {
  readonly name: string;
  readonly measure: () => Promise<T>;
}

/** Measures all ways in turns, so that what disturbs the machine disturbs them alike. Each first time is a warm-up. */
export async function inTurns<T>(ways: readonly Way<T>[], turns: number): Promise<ReadonlyMap<string, T[]>> {
  const found = new Map(ways.map(({ name }) => [name, [] as T[]]));
  for (const { measure } of ways) await measure();
  for (let turn = 0; turn < turns; turn++) {
    for (const { name, measure } of turn % 2 === 0 ? ways : ways.toReversed())
      found.get(name)?.push(await measure());
  }
  return found;
}
