import { z } from "zod";
import { DEEPEST, tooDeep } from "./too-deep.js";

const flagValueSchema = z.union([z.boolean(), z.string(), z.number(), z.record(z.string(), z.json())]);

/** What a flag can be evaluated to. */
export type FlagValue = z.infer<typeof flagValueSchema>;

/** `value` for those whom the rule means, `otherwise` for the rest. */
const outcomes = { value: flagValueSchema.default(true), otherwise: flagValueSchema.default(false) };
const ofOneType = ({ value, otherwise }: Record<"value" | "otherwise", FlagValue>): boolean =>
  typeof value === typeof otherwise;
const mixed = { path: ["otherwise"], message: "must be of the same type as value" };

const ruleSchemas = {
  percentage: z
    .strictObject({ percentage: z.number().min(0).max(100), ...outcomes })
    .refine(ofOneType, mixed),
  users: z.strictObject({ users: z.array(z.string().min(1)), ...outcomes }).refine(ofOneType, mixed),
  track: z.strictObject({ track: z.literal("canary"), ...outcomes }).refine(ofOneType, mixed),
} as const;

/** Who gets which value: a share of the users, some users by name, or the visitors of the canary. */
export type Rule = z.infer<(typeof ruleSchemas)[keyof typeof ruleSchemas]>;

/** A flag as it is understood. */
export type Flag =
  | { readonly kind: "value"; readonly value: FlagValue }
  | { readonly kind: "rule"; readonly rule: Rule }
  | { readonly kind: "invalid"; readonly problem: string };

const SWITCHES: ReadonlyMap<string, boolean> = new Map([
  ...["1", "true", "on"].map((text) => [text, true] as const),
  ...["0", "false", "off"].map((text) => [text, false] as const),
]);
/** RFC 8259, section 6. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Reads the text of a flag, whoever wrote it. `1`, `true`, `on` and `0`, `false`, `off` are booleans, a JSON number is a
 * number, a JSON object a rule or `{"value": …}`, anything else a string. What begins with a brace must be such an
 * object: a misspelt rule must not pass for a string.
 */
export function readFlag(text: string): Flag {
  const isOn = SWITCHES.get(text);
  if (isOn !== undefined) return { kind: "value", value: isOn };
  if (JSON_NUMBER.test(text) && Number.isFinite(Number(text))) return { kind: "value", value: Number(text) };
  return text.trimStart().startsWith("{") ? readObject(text) : { kind: "value", value: text };
}

/** The text that reads as this value; an object is taken as it is: a rule, or `{"value": …}`. */
export function flagText(value: FlagValue): string {
  if (typeof value === "object") return JSON.stringify(value);
  const text = String(value);
  const read = readFlag(text);
  return read.kind === "value" && read.value === value ? text : JSON.stringify({ value });
}

function readObject(text: string): Flag {
  let object: object;
  try {
    // It begins with a brace, so it is an object or no JSON.
    object = JSON.parse(text) as object;
  } catch {
    return { kind: "invalid", problem: "it begins with a brace but is not a JSON object" };
  }
  if (tooDeep(object)) return { kind: "invalid", problem: `it is nested deeper than ${DEEPEST} levels` };
  const [form] = (["percentage", "users", "track"] as const).filter((name) => Object.hasOwn(object, name));
  if (form !== undefined) {
    const { success, data, error } = ruleSchemas[form].safeParse(object);
    return success ? { kind: "rule", rule: data } : invalid(error);
  }
  if (!Object.hasOwn(object, "value"))
    return { kind: "invalid", problem: "it has none of percentage, users, track and value" };
  const { success, data, error } = z.strictObject({ value: flagValueSchema }).safeParse(object);
  return success ? { kind: "value", value: data.value } : invalid(error);
}

function invalid({ issues }: z.ZodError): Flag {
  const problems = issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`,
  );
  return { kind: "invalid", problem: problems.join("; ") };
}
