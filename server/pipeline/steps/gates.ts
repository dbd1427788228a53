import { AppError } from "../../../core/errors/app-error.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { readManifest } from "../../builds/manifest/manifest.js";
import { ownFolder } from "../../builds/own-folder.js";
import { install, nodeDependencies } from "../../builds/node/node-dependencies.js";
import type { ReleaseWork } from "../step.js";
import { builderOf } from "../../machine.js";
import { buildSecrets } from "../release-config.js";
import { runBuildTask, runImageTask } from "../../builds/task.js";
import type { Dockerfile } from "../../builds/dockerfile/dockerfile.js";

/**
 * Lint and tests, all at once, in a clean checkout of their own with every dependency, or in a stage of the app's Dockerfile.
 * Throws `gate-failed` as soon as one fails; the others are stopped.
 */
export async function runGates(work: ReleaseWork, signal: AbortSignal): Promise<void> {
  const { tools, app, record, out } = work;
  const manifest = await readManifest(tools.home.tree(app.name, record.number), tools.settings);
  if (manifest.gates.size === 0) return;
  if (work.skipGates) {
    out.heading("Gates skipped (push option skip-gates)");
    return;
  }
  out.heading(`Gates: ${[...manifest.gates.keys()].join(", ")}`);
  if (manifest.dockerfile !== undefined) return runInImage(work, manifest.gates, manifest.dockerfile, signal);
  const tree = tools.home.gatesTree(app.name, record.number);
  try {
    await checkOut(work, tree, signal);
    const node = manifest.packageJson && (await nodeDependencies(work, tree, manifest.packageJson));
    if (node !== undefined) await install(work, node, tree, "full", signal);
    const runGate = async (command: string, stop: AbortSignal): Promise<string | undefined> =>
      runBuildTask(work, { command, folder: tree, env: { NODE_ENV: "test" } }, stop);
    await runAll(work, manifest.gates, runGate, signal);
  } finally {
    await removeTree(tree);
  }
}

async function runInImage(
  work: ReleaseWork,
  gates: ReadonlyMap<string, string>,
  dockerfile: Dockerfile,
  signal: AbortSignal,
): Promise<void> {
  const { dockerfiles } = work.tools;
  if (dockerfiles === undefined) throw new AppError("engine-unsupported", { what: "A Dockerfile" });
  const target = dockerfile.gatesTarget ?? dockerfile.target;
  // The same as the build's: BuildKit makes a stage that both need once.
  const gifts = { target, secrets: await buildSecrets(work) };
  const image = await dockerfiles.build(work, dockerfile, gifts, signal);
  const runGate = async (command: string, stop: AbortSignal): Promise<string | undefined> =>
    runImageTask(work, { image, command, changes: "lost" }, stop);
  await runAll(work, gates, runGate, signal);
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
  runGate: (command: string, stop: AbortSignal) => Promise<string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const others = new AbortController();
  const stop = AbortSignal.any([signal, others.signal]);
  const runs = [...gates].map(async ([gate, command]) => {
    const began = Date.now();
    const failure = await runGate(command, stop);
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
