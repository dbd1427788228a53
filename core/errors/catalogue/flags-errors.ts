import { entry, printable } from "../catalogue-entry.js";

/** Feature flags. */
export const flagsErrors = {
  "flag-name-invalid": entry<{ name: string }>(
    400,
    ({ name }) => `"${printable(name)}" cannot be the name of a flag.`,
    () => "Use 1 to 100 letters, digits and . _ - with a letter first (for example: new-checkout).",
  ),
  "flag-value-invalid": entry<{ flag: string; problem: string }>(
    400,
    ({ flag, problem }) => `The flag "${flag}" cannot have this value: ${printable(problem)}.`,
    () =>
      'Examples of rules: {"percentage": 20} and {"users": ["ann"]}. docs/flags.md lists all kinds of values.',
  ),
  "flag-unknown": entry<{ app: string; flag: string; known: readonly string[] }>(
    404,
    ({ app, flag }) => `"${app}" has no flag "${printable(flag)}".`,
    ({ app, known }) =>
      known.length > 0 ? `Its flags: ${known.join(", ")}.` : `Set it: sluice flags ${app} NAME VALUE.`,
  ),
} as const;
