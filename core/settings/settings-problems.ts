import { nearestWord } from "../nearest-word.js";

/** "prot: unknown key; did you mean port?" for the keys of one object. */
export function unknownKeyProblem(path: string, keys: readonly string[], known: readonly string[]): string {
  const prefix = path === "" ? "" : `${path}.`;
  return keys
    .map((key) => {
      const near = nearestWord(key, known);
      return `${prefix}${key}: unknown key${near === undefined ? "" : `; did you mean ${prefix}${near}?`}`;
    })
    .join("; ");
}
