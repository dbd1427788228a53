import type { HostProgress } from "../../core/api/machines/provision.js";
import { printable } from "../../core/printable.js";

const MARKS = { heading: "-----> ", task: "       ", problem: " !     " } as const;

/** A line of what is done to a host, as pushes show theirs. The host may have written in it. */
export function hostLine({ kind, text }: Pick<HostProgress["lines"][number], "kind" | "text">): string {
  const [first = "", ...rest] = text.split("\n").map(printable);
  return [`${MARKS[kind]}${first}`, ...rest.map((line) => `${MARKS.task}${line}`)].join("\n");
}
