import { constants } from "node:fs";
import { copyFile, mkdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { removeTree } from "../../../core/files/remove-tree.js";
import { nodeFolderOf, type Artifact } from "../../../core/records/releases/artifact.js";
import { copyFolder } from "../copy-folder.js";
import { nodeVersionOf } from "../node/node-version.js";
import type { LayerStore } from "./layers/layer-store.js";
import { find, nodeProgram, npmPackage, type NodeTools } from "./node-programs.js";
import type { Layer } from "./layers/write-layer.js";

/** Raised when the same programs give another layer. */
const RECIPE = 1;
const ROOT = { uid: 0, gid: 0 };
/** Of npm, what nobody reads in an image. */
const UNREAD = ["docs", "man"];

/**
 * The Node.js that an artifact runs with, in /usr/local. This machine's npm is with it, if it has one that can be copied: an
 * app may call it anywhere, as in `sluice run APP npm run migrate`. Throws `npm-registry-untrusted`, `npm-registry-failed`.
 */
export async function nodeLayer(
  { layers, tools }: { readonly layers: LayerStore; readonly tools: NodeTools },
  artifact: Artifact,
  signal: AbortSignal,
): Promise<Layer> {
  const [version, npm] = [await nodeVersionOf(artifact, tools.path), await npmPackage(tools.path)];
  const which = nodeFolderOf(artifact) === undefined ? await identity(tools.path) : "fetched";
  const key = ["node", RECIPE, process.arch, version, which, npm?.version ?? "without npm"].join(" ");
  const make = async (stop: AbortSignal): Promise<Layer> =>
    layers.inScratch(async (folder) => {
      const program = await nodeProgram(tools, artifact, version, stop);
      const [programs, packages] = [join(folder, "bin"), join(folder, "lib/node_modules")];
      await mkdir(programs);
      await mkdir(packages, { recursive: true });
      await copyFile(program, join(programs, "node"), constants.COPYFILE_FICLONE);
      if (npm !== undefined) await addNpm(npm.folder, programs, packages, tools.path);
      return layers.write({ folder, at: "usr/local", owner: ROOT, modified: 0 }, stop);
    });
  return layers.cached(key, make, signal);
}

async function addNpm(npm: string, programs: string, packages: string, path: string): Promise<void> {
  await copyFolder(npm, join(packages, "npm"), ROOT, path);
  for (const name of UNREAD) await removeTree(join(packages, "npm", name));
  for (const name of ["npm", "npx"])
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(programs, name));
}

/** Changes when another build of the same version is installed. */
async function identity(path: string): Promise<string> {
  const { size, mtimeMs } = await stat((await find("node", path)) ?? "");
  return `${size} ${mtimeMs}`;
}
