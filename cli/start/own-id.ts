import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { writeFileAtomically } from "../../core/files/atomic-file.js";
import type { Home } from "../../core/home.js";

/**
 * What this state folder's processes are called in Redis. It stays when the machine gets another name: a proxy of the old
 * name would be waited for.
 */
export async function ownId(home: Home): Promise<string> {
  const kept = (await readFile(home.id(), "utf8").catch(() => "")).trim();
  if (kept !== "") return kept;
  const id = `${hostname()}:${home.root}`;
  // On a full disk it is written another time.
  await writeFileAtomically(home.id(), `${id}\n`).catch(() => undefined);
  return id;
}
