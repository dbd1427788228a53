import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { User } from "../../../core/exec/exec.js";
import { APP_FOLDER } from "../placed-tree.js";
import type { LayerStore } from "./layers/layer-store.js";
import { treeDigest } from "./layers/tree-digest.js";
import type { Layer } from "./layers/write-layer.js";

export interface InstalledDependencies {
  readonly tree: string;
  readonly user: User;
  /** A text that is another one when `node_modules` is, if that is known without reading it (`dependencyKey`). */
  readonly nodeKey: string | undefined;
}

/** What package managers fill, at the top of a tree. */
const FOLDERS = ["node_modules", ".venv"];

/** The folders of a tree that have a layer of their own: a link of such a name is a file like others. */
export async function dependencyFolders(tree: string): Promise<string[]> {
  const stats = await Promise.all(
    FOLDERS.map(async (name) => lstat(join(tree, name)).catch(() => undefined)),
  );
  return FOLDERS.filter((_, index) => stats[index]?.isDirectory() === true);
}

/** The layers of these folders; what an earlier release had is neither read, where the key tells, nor written again. */
export async function dependencyLayers(
  layers: LayerStore,
  { tree, user, nodeKey }: InstalledDependencies,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<Layer[]> {
  const made: Layer[] = [];
  for (const name of folders) {
    const folder = join(tree, name);
    const known = name === "node_modules" ? nodeKey : undefined;
    const content = known === undefined ? `content ${await treeDigest(folder, signal)}` : `key ${known}`;
    const key = `dependencies ${name} ${user.uid}:${user.gid} ${content}`;
    const source = { folder, at: join(APP_FOLDER.slice(1), name), owner: user, modified: "kept" as const };
    made.push(await layers.cached(key, async (stop) => layers.write(source, stop), signal));
  }
  return made;
}
