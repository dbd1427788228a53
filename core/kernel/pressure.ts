import { count } from "./fields.js";

/** The time in µs since the machine's start in which somebody waited (Linux' Documentation/accounting/psi.rst). */
export function parsePressure(text: string): number | undefined {
  const line = text.split("\n").find((each) => each.startsWith("some "));
  return count(/ total=(\d+)$/.exec(line ?? "")?.[1]);
}
