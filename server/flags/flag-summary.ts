import type { FlagSummary } from "../../core/api/apps/flags.js";
import { readFlag, type FlagValue } from "./flag.js";

/** A flag as people and programs are shown it. */
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
