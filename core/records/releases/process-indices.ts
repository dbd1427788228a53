import type { ReleaseProcess } from "./release-process.js";

type Sized = Pick<ReleaseProcess, "quantity" | "indices">;

/** The indices of a process's instances: 1 to `quantity`, unless some have been replaced by others. Pure. */
export function indicesOf({ quantity, indices = [] }: Sized): number[] {
  return filled(indices.slice(0, quantity), quantity, new Set());
}

/**
 * The process with other indices instead of those that leave; none is of an instance that is `taken`, which may run until long
 * after. Pure.
 */
export function withoutIndices(
  process: ReleaseProcess,
  leaving: ReadonlySet<number>,
  taken: ReadonlySet<number>,
): ReleaseProcess {
  const before = indicesOf(process);
  const kept = before.filter((index) => !leaving.has(index));
  if (kept.length === before.length) return process;
  return { ...process, indices: filled(kept, process.quantity, new Set([...leaving, ...taken])) };
}

function filled(kept: readonly number[], quantity: number, refused: ReadonlySet<number>): number[] {
  const indices = [...kept];
  for (let index = 1; indices.length < quantity; index++)
    if (!indices.includes(index) && !refused.has(index)) indices.push(index);
  return indices;
}
