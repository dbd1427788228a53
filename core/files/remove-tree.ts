import { lstat } from "node:fs/promises";
import { systemClock } from "../clock.js";
import { describeExit, runCommand } from "../exec/exec.js";

const ATTEMPTS = 5;
const PAUSE_MS = 100;
const SHOWN_LINES = 3;

/**
 * Removes a file, a link or a folder with all that is in it; one that is not there is no error. Done by rm(1), which goes
 * down by file descriptors: names that add up to more than PATH_MAX (Node's own `rm` fails on them) are no obstacle, a
 * link put in place meanwhile is never followed, and another file system mounted inside is left alone and is an error. A
 * program that still writes there makes it try again, for half a second. Throws what rm said.
 */
export async function removeTree(path: string): Promise<void> {
  for (let attempt = 1; await exists(path); attempt++) {
    const problem = await runRm(path);
    if (problem === undefined) return;
    if (attempt === ATTEMPTS) throw new Error(`${path} could not be removed: ${problem}`);
    await systemClock.sleep(PAUSE_MS);
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
        return false;
      throw error;
    },
  );
}

/** What went wrong, or undefined. */
async function runRm(path: string): Promise<string | undefined> {
  const said: string[] = [];
  const exit = await runCommand(
    {
      argv: ["rm", "-rf", "--one-file-system", "--", path],
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" },
    },
    {
      onLine: (line) => {
        if (said.length < SHOWN_LINES) said.push(line);
      },
    },
  );
  if (exit.status === 0) return undefined;
  return said.length === 0 ? `rm failed (${describeExit(exit)})` : said.join(" ");
}
