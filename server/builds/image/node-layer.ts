import { cp, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { outputOf } from "../../../core/exec/exec.js";
import type { Artifact } from "../../../core/records/releases/artifact.js";
import { fetchNode } from "../node/fetch-node.js";
import { fetchPackage, isThere } from "../node/fetch-package.js";
import { nodeVersionOf } from "../node/node-version.js";
import type { BuildsNeeds } from "../needs.js";
import type { LayerStore } from "./layer-store.js";
import type { Layer } from "./write-layer.js";

/** Raised when such a layer is made in another way. */
const VERSION = 1;
const ROOT = { uid: 0, gid: 0 };

/**
 * The Node.js that an artifact runs with, and npm, in /usr/local. Both come from the npm registry: a distribution's own ones may
 * need files from all over the machine. Throws `npm-registry-untrusted`, `npm-registry-failed`.
 */
export async function nodeLayer(
  tools: Pick<BuildsNeeds, "home" | "path" | "networkEnv">,
  layers: LayerStore,
  artifact: Artifact,
  signal: AbortSignal,
): Promise<Layer> {
  const node = (await nodeVersionOf(artifact, tools.path)).replace(/^v/, "");
  const npm = (await outputOf({ argv: ["npm", "--version"], env: { PATH: tools.path } })).trim();
  const make = async (stop: AbortSignal): Promise<Layer> => {
    const { home } = tools;
    const fetched = artifact.nodeFolder === undefined ? undefined : dirname(artifact.nodeFolder);
    const nodeFolder =
      fetched ??
      (await present(join(home.runtimes(), node), "bin/node", async () => fetchNode(tools, node, stop)));
    const npmFolder = join(home.runtimes(), `npm-${npm}`);
    const proof = "bin/npm-cli.js";
    await present(npmFolder, proof, async () =>
      fetchPackage(tools, { name: "npm", version: npm, proof }, npmFolder, stop),
    );
    return layers.inScratch(async (folder) => {
      await fill(folder, nodeFolder, npmFolder);
      return layers.write({ folder, at: "usr/local", owner: ROOT, modified: 0 }, stop);
    });
  };
  return layers.cached(["node", VERSION, process.arch, node, npm].join("\0"), make, signal);
}

async function fill(folder: string, node: string, npm: string): Promise<void> {
  await mkdir(join(folder, "bin"));
  await mkdir(join(folder, "lib/node_modules"), { recursive: true });
  await cp(join(node, "bin/node"), join(folder, "bin/node"), { dereference: true });
  await cp(npm, join(folder, "lib/node_modules/npm"), { recursive: true, verbatimSymlinks: true });
  for (const program of ["npm", "npx"])
    await symlink(`../lib/node_modules/npm/bin/${program}-cli.js`, join(folder, "bin", program));
}

/** The folder, once it has `proof`. */
async function present(folder: string, proof: string, make: () => Promise<unknown>): Promise<string> {
  if (!(await isThere(join(folder, proof)))) await make();
  return folder;
}
