import { readManifest } from "./manifest/manifest.js";
import { nodeDependencies, variantOfTree, zoneKey } from "./node/node-dependencies.js";
import { DependencyCache } from "./dependency-cache.js";
import type { BuildOutput, BuildWork } from "./build-work.js";
import { builderOf } from "../machine.js";

/** After a release: copies of its dependencies lie ready for the next, one for the tree and one for the gates. */
export async function prewarmDependencies(work: BuildWork): Promise<void> {
  const { tools, app, record } = work;
  try {
    const tree = tools.home.tree(app.name, record.number);
    const manifest = await readManifest(tree, tools.settings);
    if (manifest.packageJson === undefined) return;
    const node = await nodeDependencies({ ...work, out: SILENT }, tree, manifest.packageJson);
    if (node?.key === undefined) return;
    const variants = new Set([
      variantOfTree(node, manifest.build),
      ...(manifest.gates.size > 0 ? (["full"] as const) : []),
    ]);
    for (const variant of variants) {
      const key = await zoneKey(work, node.key, variant);
      await new DependencyCache(tools).replenish(app.name, key, variant, builderOf(app, tools));
    }
  } catch (error) {
    // The next release copies or installs them itself.
    tools.log.warn({ err: error, app: app.name }, "could not prepare a spare copy of the dependencies");
  }
}

/** The release has ended: nobody reads it any more. */
const SILENT: BuildOutput = { line: () => undefined, alive: async (_, work) => work };
