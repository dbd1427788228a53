import { AppError } from "../../../core/errors/app-error.js";
import { readManifest } from "../../builds/manifest/manifest.js";
import { nodeDependencies, run } from "../../builds/node/node-dependencies.js";
import type { ReleaseWork } from "../step.js";
import { runBuildTask, runImageTask } from "../../builds/task.js";
import type { Dockerfile } from "../../builds/dockerfile/dockerfile.js";
import { buildSecrets } from "../release-config.js";
import type { PlacedProgram } from "../../engines/engine.js";

/**
 * The app's Dockerfile, or its build script, development dependencies pruned after it; then `scripts.dokku.predeploy` of
 * app.json. Returns what the Dockerfile has made.
 */
export async function runBuild(work: ReleaseWork, signal: AbortSignal): Promise<PlacedProgram | undefined> {
  const { tools, record, out } = work;
  const tree = tools.home.tree(record.app, record.number);
  const manifest = await readManifest(tree, tools.settings);
  const { predeploy } = manifest.appJson.scripts.dokku;
  if (manifest.dockerfile !== undefined) {
    const image = await buildDockerfile(work, manifest.dockerfile, signal);
    if (predeploy === undefined) return image;
    out.heading(`predeploy: ${predeploy}`);
    refuseFailure(await runImageTask(work, { image, command: predeploy, changes: "kept" }, signal));
    return image;
  }
  if (manifest.build !== undefined && manifest.packageJson !== undefined) {
    const command = `npm run ${manifest.build}`;
    out.heading(`Build: ${command}`);
    const failure = await runBuildTask(work, { command, folder: tree }, signal);
    if (failure !== undefined) throw new AppError("build-failed", { command, status: failure });
    const node = await nodeDependencies(work, tree, manifest.packageJson);
    if (node?.hasDevelopment && node.prune !== undefined) await run(work, node.prune, tree, signal);
  }
  if (predeploy === undefined) return undefined;
  out.heading(`predeploy: ${predeploy}`);
  refuseFailure(await runBuildTask(work, { command: predeploy, folder: tree }, signal));
  return undefined;
}

async function buildDockerfile(
  work: ReleaseWork,
  dockerfile: Dockerfile,
  signal: AbortSignal,
): Promise<PlacedProgram> {
  const { tools, record, out } = work;
  if (tools.dockerfiles === undefined) throw new AppError("engine-unsupported", { what: "A Dockerfile" });
  out.heading(`Build: ${dockerfile.path}`);
  const gifts = { target: dockerfile.target, secrets: await buildSecrets(work) };
  const image = await tools.dockerfiles.build(work, dockerfile, gifts, signal);
  const { entrypoint, command } = image.program;
  const startsNothing = entrypoint.length === 0 && command.length === 0;
  if (startsNothing && record.processes.some((process) => process.command === ""))
    throw new AppError("dockerfile-starts-nothing", { path: dockerfile.path });
  return image;
}

function refuseFailure(failure: string | undefined): void {
  if (failure !== undefined) throw new AppError("task-failed", { task: "predeploy", status: failure });
}
