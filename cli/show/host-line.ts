import type { HostProgress } from "../../core/api/machines/provision.js";

/** A line of what is done to a host, as pushes show theirs. */
export function hostLine({ kind, text }: HostProgress["lines"][number]): string {
  if (kind === "heading") return `-----> ${text}`;
  return kind === "problem" ? ` !     ${text}` : `       ${text}`;
}
