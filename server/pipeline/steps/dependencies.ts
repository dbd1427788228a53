import { readManifest } from "../../builds/manifest/manifest.js";
import { install, nodeDependencies, variantOfTree } from "../../builds/node/node-dependencies.js";
import { APP_FOLDER } from "../../builds/placed-tree.js";
import { nodeFolderFor } from "../../builds/node/node-version.js";
import { installPython } from "../../builds/python/python-dependencies.js";
import type { Step } from "../step.js";

/** What the app needs to run: its Node.js, its packages. */
export const dependencies: Step = {
  name: "dependencies",
  reaches: "installed",
  timeoutMs: ({ limits }) => limits.dependenciesSeconds * 1000,
  run: async (work, signal) => {
    const { tools, record, out } = work;
    const tree = tools.home.tree(record.app, record.number);
    const manifest = await readManifest(tree, tools.settings);
    // Its Dockerfile installs what it needs.
    if (manifest.dockerfile !== undefined) return undefined;
    const nodeFolder = await nodeFolderFor(work, manifest, signal);
    const artifact = {
      kind: "tree" as const,
      at: APP_FOLDER,
      ...(nodeFolder === undefined ? {} : { nodeFolder }),
    };
    work.record = { ...work.record, artifact };
    const node = manifest.packageJson && (await nodeDependencies(work, tree, manifest.packageJson));
    if (node !== undefined) {
      out.heading("Dependencies");
      const how = await install(work, node, tree, variantOfTree(node, manifest.build), signal);
      out.line(how === "cached" ? "unchanged, taken from the cache" : `installed by ${node.install}`);
    }
    await installPython(work, tree, signal);
    return { artifact };
  },
};
