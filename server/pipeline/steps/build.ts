import { AppError } from "../../../core/errors/app-error.js";
import { readManifest } from "../../builds/manifest/manifest.js";
import { nodeDependencies, run } from "../../builds/node/node-dependencies.js";
import type { ReleaseWork } from "../step.js";
import { runBuildTask } from "../../builds/task.js";

/** The app's build script, development dependencies pruned after it, then `scripts.dokku.predeploy` of app.json. */
export async function runBuild(work: ReleaseWork, signal: AbortSignal): Promise<void> {
  const { tools, record, out } = work;
  const tree = tools.home.tree(record.app, record.number);
  const manifest = await readManifest(tree, tools.settings.instances);
  if (manifest.build !== undefined && manifest.packageJson !== undefined) {
    const command = `npm run ${manifest.build}`;
    out.heading(`Build: ${command}`);
    const failure = await runBuildTask(work, { command, folder: tree }, signal);
    if (failure !== undefined) throw new AppError("build-failed", { command, status: failure });
    const node = await nodeDependencies(work, tree, manifest.packageJson);
    if (node?.hasDevelopment && node.prune !== undefined) await run(work, node.prune, tree, signal);
  }
  const { predeploy } = manifest.appJson.scripts.dokku;
  if (predeploy === undefined) return;
  out.heading(`predeploy: ${predeploy}`);
  const failure = await runBuildTask(work, { command: predeploy, folder: tree }, signal);
  if (failure !== undefined) throw new AppError("task-failed", { task: "predeploy", status: failure });
}
