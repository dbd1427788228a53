import { buildZone } from "../build-zone.js";
import type { BuildWork } from "../build-work.js";
import { readManifest } from "../manifest/manifest.js";
import { nodeDependencies, variantOfTree } from "../node/node-dependencies.js";
import { readTreeFile } from "../tree-file.js";

/**
 * The dependency cache's key for a release's `node_modules`, for a layer that is found without reading them. Undefined when
 * a build, a script or another package manager may have changed what the cache gave. It names the zone: what a preview has
 * installed is never production's.
 */
export async function dependencyKey(work: BuildWork): Promise<string | undefined> {
  const { app, record, tools } = work;
  const tree = tools.home.tree(app.name, record.number);
  const { packageJson, build, appJson } = await readManifest(tree, tools.settings);
  const isChanged = build !== undefined || appJson.scripts.dokku.predeploy !== undefined;
  if (packageJson === undefined || isChanged) return undefined;
  if ((await readTreeFile(tree, "requirements.txt")) !== undefined) return undefined;
  const silent = { line: () => undefined, alive: async <T>(_: string, running: Promise<T>) => running };
  const node = await nodeDependencies({ ...work, out: silent }, tree, packageJson);
  if (node?.key === undefined) return undefined;
  return [app.name, buildZone(record), node.key, variantOfTree(node, build)].join(" ");
}
