import { AppError } from "../../../core/errors/app-error.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { readManifest } from "../../builds/manifest/manifest.js";
import { ownFolder } from "../../builds/own-folder.js";
import { install, nodeDependencies } from "../../builds/node/node-dependencies.js";
import type { ReleaseWork } from "../step.js";
import { builderOf } from "../../machine.js";
import { runBuildTask } from "../../builds/task.js";

/**
 * Lint and tests, all at once, in a clean checkout of their own with every dependency; it is gone afterwards. Throws
 * `gate-failed` as soon as one fails; the others are stopped.
 */
export async function runGates(work: ReleaseWork, signal: AbortSignal): Promise<void> {
  const { tools, app, record, out } = work;
  const manifest = await readManifest(tools.home.tree(app.name, record.number), tools.settings.instances);
  if (manifest.gates.size === 0) return;
  if (work.skipGates) {
    out.heading("Gates skipped (push option skip-gates)");
    return;
  }
  out.heading(`Gates: ${[...manifest.gates.keys()].join(", ")}`);
  const tree = tools.home.gatesTree(app.name, record.number);
  try {
    await checkOut(work, tree, signal);
    const node = manifest.packageJson && (await nodeDependencies(work, tree, manifest.packageJson));
    if (node !== undefined) await install(work, node, tree, "full", signal);
    await runAll(work, manifest.gates, tree, signal);
  } finally {
    await removeTree(tree);
  }
}

async function checkOut(
  { repository, record, app, tools }: ReleaseWork,
  tree: string,
  signal: AbortSignal,
): Promise<void> {
  const user = builderOf(app, tools);
  await removeTree(tree);
  await ownFolder(tree, user);
  await repository.extract(record.commit, tree, user, signal);
}

async function runAll(
  work: ReleaseWork,
  gates: ReadonlyMap<string, string>,
  tree: string,
  signal: AbortSignal,
): Promise<void> {
  const others = new AbortController();
  const stop = AbortSignal.any([signal, others.signal]);
  const runs = [...gates].map(async ([gate, command]) => {
    const began = Date.now();
    const failure = await runBuildTask(work, { command, folder: tree, env: { NODE_ENV: "test" } }, stop);
    if (failure !== undefined) throw new AppError("gate-failed", { gate, status: failure });
    work.out.line(`${gate} passed in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  });
  try {
    await Promise.all(runs);
  } catch (error) {
    others.abort(error);
    await Promise.allSettled(runs);
    throw error;
  }
}
