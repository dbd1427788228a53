import { readdirSync } from "node:fs";
import { isAbsolute, join, resolve, sep } from "node:path";
import { AppError } from "../../core/errors/app-error.js";
import { removeTree } from "../../core/files/remove-tree.js";
import type { Quarantine } from "../git/repository.js";

const NAMES = ["GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"] as const;

/** Git's own variables, as a hook handed them on; each must be a folder inside the repository. */
export function readQuarantine(
  environment: Readonly<Record<string, string>>,
  repositoryPath: string,
): Quarantine {
  const quarantine: Record<string, string> = {};
  for (const name of NAMES) {
    const value = environment[name];
    if (value === undefined || value === "") continue;
    const path = resolve(repositoryPath, value);
    if (!isAbsolute(path) || !path.startsWith(`${repositoryPath}${sep}`)) {
      throw new AppError("request-invalid", { problem: `${name} is not inside the repository` });
    }
    quarantine[name] = path;
  }
  return quarantine;
}

/**
 * Removes what a git that was interrupted left of a push (it does not do so itself when it is ended by a signal). Only
 * while no push of this repository is under way.
 */
export async function sweepQuarantines(repositoryPath: string): Promise<void> {
  const objects = join(repositoryPath, "objects");
  // At once: the next push may begin before an answer is there, and its quarantine must not be among them.
  const left = quarantinesIn(objects);
  for (const name of left) await removeTree(join(objects, name));
}

function quarantinesIn(objects: string): string[] {
  try {
    return readdirSync(objects).filter((name) => name.startsWith("tmp_objdir-"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
