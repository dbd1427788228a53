import { readFile, stat } from "node:fs/promises";
import type { Home } from "../../../core/home.js";

const READABLE_BY_OTHERS = 0o044;
/** Keys whose values are secret, or may have a password in them. */
const SECRET_KEY = /(?:^|[\s{,])(?:password|secret|token|url)\s*:/m;

/** What to say at the start of a `sluice.yml` with secrets that others on this machine can read; undefined when all is well. */
export async function openSettingsWarning(home: Home): Promise<string | undefined> {
  const file = home.settings();
  const mode = await stat(file).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & READABLE_BY_OTHERS) === 0 || !SECRET_KEY.test(await readFile(file, "utf8"))) return undefined;
  return `${file} has secrets in it and can be read by others: chmod 600 ${file}`;
}
