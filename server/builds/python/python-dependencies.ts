import { access } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors/app-error.js";
import type { BuildWork } from "../build-work.js";
import { runBuildTask } from "../task.js";

/**
 * With it, compiled modules name a digest of their source, not its time: they are valid wherever they are copied to, and the
 * same for the same packages (PEP 552). No earlier time fits into a wheel.
 */
const REPRODUCIBLE = { SOURCE_DATE_EPOCH: "315532800" };

/** A virtual environment in `.venv` for a tree with a requirements.txt. Answers whether there was one to make. */
export async function installPython(work: BuildWork, tree: string, signal: AbortSignal): Promise<boolean> {
  const hasRequirements = await access(join(tree, "requirements.txt")).then(
    () => true,
    () => false,
  );
  if (!hasRequirements) return false;
  const command =
    "python3 -m venv .venv && .venv/bin/pip install --disable-pip-version-check -r requirements.txt";
  const failure = await runBuildTask(work, { command, folder: tree, env: REPRODUCIBLE }, signal);
  if (failure !== undefined) throw new AppError("dependencies-failed", { command, status: failure });
  return true;
}
