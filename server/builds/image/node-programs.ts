import { readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { captureCommand, outputOf } from "../../../core/exec/exec.js";
import { exists } from "../../../core/files/exists.js";
import { nodeFolderOf, type Artifact } from "../../../core/records/releases/artifact.js";
import { fetchNode } from "../node/fetch-node.js";
import type { BuildsNeeds } from "../needs.js";

export type NodeTools = Pick<BuildsNeeds, "home" | "path" | "networkEnv">;

/** Shared libraries that every base has. */
const IN_BASE = /^(?:linux-vdso|ld-linux.*|lib(?:c|m|dl|rt|pthread|gcc_s|stdc\+\+|atomic))\.so\.\d+$/;
const packageSchema = z.object({ version: z.string() });

/**
 * A file that an image can take as the Node.js of an artifact: the fetched one, else this machine's own. When that needs
 * libraries which images do not have, as Debian's does, the same version comes from the npm registry. Throws as `fetchNode`.
 */
export async function nodeProgram(
  tools: NodeTools,
  artifact: Artifact,
  version: string,
  signal: AbortSignal,
): Promise<string> {
  const nodeFolder = nodeFolderOf(artifact);
  // It came from a registry: root does not run it.
  if (nodeFolder !== undefined) return join(nodeFolder, "node");
  const env = { PATH: tools.path };
  const own = (await outputOf({ argv: ["node", "-p", "process.execPath"], env }, { signal })).trim();
  const { stdout } = await captureCommand({ argv: ["ldd", own], env: { ...env, LC_ALL: "C" } }, { signal });
  if (missingLibraries(stdout).length === 0) return own;
  const plainVersion = version.replace(/^v/, "");
  const fetched = join(tools.home.runtimes(), plainVersion);
  if (!(await exists(join(fetched, "bin/node")))) await fetchNode(tools, plainVersion, signal);
  return join(fetched, "bin/node");
}

/** Of what `ldd` says, the libraries that images do not have; none for a program that is linked statically. Pure. */
export function missingLibraries(said: string): string[] {
  const names = [...said.matchAll(/^\t(\S+) (?:=>|\(0x)/gm)].map(
    ([, name = ""]) => name.split("/").at(-1) ?? "",
  );
  return names.filter((name) => !IN_BASE.test(name));
}

/**
 * The folder of this machine's npm with its version; undefined when there is none, or one that needs other packages of the
 * distribution.
 */
export async function npmPackage(path: string): Promise<{ folder: string; version: string } | undefined> {
  const program = await find("npm", path);
  if (program?.endsWith("/bin/npm-cli.js") !== true) return undefined;
  const folder = dirname(dirname(program));
  if (!(await exists(join(folder, "node_modules")))) return undefined;
  const { version } = packageSchema.parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
  return { folder, version };
}

/** Where a program on PATH really lies. */
export async function find(program: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(":")) {
    const found = join(folder, program);
    if (await exists(found)) return realpath(found);
  }
  return undefined;
}
