import { createHash } from "node:crypto";
import type { Flag, FlagValue, Rule } from "./flag.js";

/** What is known of the user (OpenFeature specification, section 3). `targetingKey` names the user. */
export type EvaluationContext = Readonly<Record<string, unknown>>;

/** In the words of OpenFeature (specification, types: "resolution reason", "error code"). */
export type Evaluation =
  | { readonly value: FlagValue; readonly reason: "STATIC" | "TARGETING_MATCH" | "SPLIT" | "DEFAULT" }
  | EvaluationFailure;

export interface EvaluationFailure {
  readonly errorCode: "PARSE_ERROR" | "TARGETING_KEY_MISSING" | "INVALID_CONTEXT";
  readonly errorDetails: string;
}

/** The value of a flag for a user: always the same for the same user, and a user who has it keeps it when the percentage grows. */
export function evaluate(name: string, flag: Flag, context: EvaluationContext): Evaluation {
  switch (flag.kind) {
    case "value":
      return { value: flag.value, reason: "STATIC" };
    case "rule":
      return followRule(name, flag.rule, context);
    case "invalid":
      return { errorCode: "PARSE_ERROR", errorDetails: `${name} cannot be read: ${flag.problem}` };
  }
}

function followRule(name: string, rule: Rule, context: EvaluationContext): Evaluation {
  if ("track" in rule) {
    const { track } = context;
    if (track !== undefined && typeof track !== "string") return notText("track");
    return targeted(rule, track === rule.track);
  }
  const user = context["targetingKey"];
  if (user === undefined || user === "")
    return {
      errorCode: "TARGETING_KEY_MISSING",
      errorDetails: `${name} depends on the user: the context needs a targetingKey`,
    };
  if (typeof user !== "string") return notText("targetingKey");
  if ("users" in rule) return targeted(rule, rule.users.includes(user));
  const value = placeOf(name, user) < rule.percentage ? rule.value : rule.otherwise;
  return { value, reason: "SPLIT" };
}

function targeted({ value, otherwise }: Rule, isMeant: boolean): Evaluation {
  return isMeant ? { value, reason: "TARGETING_MATCH" } : { value: otherwise, reason: "DEFAULT" };
}

function notText(attribute: string): EvaluationFailure {
  return { errorCode: "INVALID_CONTEXT", errorDetails: `${attribute} in the context must be a string` };
}

/** A user's place among all, from 0 to below 100, another one for each flag. */
function placeOf(flag: string, user: string): number {
  const bytes = createHash("sha256").update(`${flag}\0${user}`).digest();
  return (bytes.readUIntBE(0, 6) / 2 ** 48) * 100;
}
