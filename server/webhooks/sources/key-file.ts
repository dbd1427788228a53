import { randomBytes } from "node:crypto";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Home } from "../../../core/home.js";

/** Runs `job` while the key lies in a file that only this user reads: ssh takes keys from nowhere else. */
export async function withKeyFile<T>(
  home: Home,
  app: string,
  privateKey: string,
  job: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(home.gitHome(), `${app}-${randomBytes(6).toString("hex")}${ENDING}`);
  try {
    await writeFile(path, privateKey, { mode: 0o600 });
    return await job(path);
  } finally {
    await rm(path, { force: true });
  }
}

/** A server that was killed left those that it used. */
export async function removeLeftKeyFiles(home: Home): Promise<void> {
  const names = await readdir(home.gitHome()).catch(() => []);
  for (const name of names.filter((each) => each.endsWith(ENDING)))
    await rm(join(home.gitHome(), name), { force: true });
}

const ENDING = ".key";
