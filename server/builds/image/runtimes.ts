import { AppError } from "../../../core/errors/app-error.js";
import type { ReleaseManifest } from "../../../core/records/releases/release-manifest.js";
import { exists } from "../../../core/files/exists.js";
import { join } from "node:path";
import { readTreeFile } from "../tree-file.js";

/** What a release needs in its image besides the base: neither for a program of its own, or for static files. */
export interface Runtimes {
  readonly node: boolean;
  readonly python: boolean;
}

/** Where a program's name stands in a line for `sh -c`. */
const NODE = /(?:^|[\s;&|(/'"])(?:node|npm|npx)(?=[\s;&|)'"]|$)/m;
const PYTHON = /(?:^|[\s;&|(/'"])python3?(?=[\s;&|)'"]|$)/m;
const PYTHON_FILES = ["requirements.txt", ".venv"];
/** Where Debian has its python3. */
const DEBIAN_PYTHON = "/usr/bin";

/** By a tree's files, and by what its commands call. */
export async function runtimesOf(
  tree: string,
  { processes, releaseCommand, postdeploy, firstPostdeploy }: ReleaseManifest,
): Promise<Runtimes> {
  const commands = [
    ...processes.map(({ command }) => command),
    ...[releaseCommand, postdeploy, firstPostdeploy].filter((command) => command !== undefined),
  ].join("\n");
  const has = async (name: string): Promise<boolean> => exists(join(tree, name));
  return {
    node: NODE.test(commands) || (await has("package.json")),
    python: PYTHON.test(commands) || (await Promise.all(PYTHON_FILES.map(has))).includes(true),
  };
}

/** Throws `image-python-foreign` when a tree's virtual environment is of a Python that images do not have. */
export async function refuseForeignPython(tree: string): Promise<void> {
  const folder = pythonHome((await readTreeFile(tree, ".venv/pyvenv.cfg")) ?? "");
  if (folder !== undefined && folder !== DEBIAN_PYTHON)
    throw new AppError("image-python-foreign", { folder });
}

/** The folder of the Python that a virtual environment was made with; undefined when that is not said. Pure. */
export function pythonHome(configuration: string): string | undefined {
  return /^home\s*=\s*(.*?)\s*$/m.exec(configuration)?.[1];
}
