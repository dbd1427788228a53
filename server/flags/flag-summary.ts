import { readFlag, type FlagValue, type Rule } from "./flag.js";

/** A flag as people and programs are shown it. */
export interface FlagSummary {
  /** A rule with its defaults; null when it cannot be read. */
  readonly value: FlagValue | Rule | null;
  readonly kind: "boolean" | "string" | "number" | "object" | "rule" | "invalid";
  /** As it stands in Redis. */
  readonly text: string;
  /** Why it cannot be read. */
  readonly problem?: string;
}

export function flagSummary(text: string): FlagSummary {
  const flag = readFlag(text);
  switch (flag.kind) {
    case "value":
      return { value: flag.value, kind: kindOf(flag.value), text };
    case "rule":
      return { value: flag.rule, kind: "rule", text };
    case "invalid":
      return { value: null, kind: "invalid", text, problem: flag.problem };
  }
}

function kindOf(value: FlagValue): FlagSummary["kind"] {
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return "number";
  return typeof value === "string" ? "string" : "object";
}
