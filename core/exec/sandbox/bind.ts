import { dirname } from "node:path";
import type { Mount } from "./sandbox-policy.js";

/** Arguments of bwrap(1) that show a folder or a file. It would make the folders above for its own user alone. */
export function bind({ from, to = from, access }: Mount, { ifThere = false } = {}): string[] {
  const option = access === "read" ? "--ro-bind" : "--bind";
  return [...above(to), ifThere ? `${option}-try` : option, from, to];
}

function above(path: string): string[] {
  const folder = dirname(path);
  return folder === "/" ? [] : [...above(folder), "--dir", folder];
}
