import type { Context } from "../start/context.js";

export interface Format {
  readonly json?: boolean | undefined;
}

/** Prints an answer: as JSON for programs, or as lines for people. */
export function show<T>(
  context: Context,
  { json }: Format,
  answer: T,
  lines: (answer: T) => readonly string[],
): void {
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else for (const line of lines(answer)) context.print(line);
}
