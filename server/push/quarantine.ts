import { isAbsolute, resolve, sep } from "node:path";
import { AppError } from "../../core/app-error.js";
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
