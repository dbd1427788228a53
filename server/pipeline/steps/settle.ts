import { isAppError } from "../../../core/errors/app-error.js";
import { isPreview } from "../../../core/records/routes/route-table.js";
import { withFewerPreviews } from "../../routes/route-changes.js";
import { withDeadline } from "../runner/deadline.js";
import { processEnvironment } from "../environment.js";
import type { ReleaseManifest } from "../../../core/records/releases/release-manifest.js";
import { manifestOf } from "../../builds/manifest/manifest-of.js";
import { prune } from "../prune.js";
import type { ReleaseWork, Step } from "../step.js";
import { placedHere } from "../../builds/placed-tree.js";
import { runReleaseTask } from "../../builds/task.js";

/** Two scripts at most come before it, each with the time of a release. */
const PRUNE_TIMEOUT_MS = 120_000;

/**
 * What follows the switch: postdeploy scripts (a failing one is only reported), place made among the previews, and pruning.
 * Draining continues by itself.
 */
export const settle: Step = {
  name: "settle",
  reaches: "settled",
  timeoutMs: ({ limits }) => 2 * limits.releaseSeconds * 1000 + PRUNE_TIMEOUT_MS,
  run: async (work, signal) => {
    const { tools, app, record } = work;
    const manifest = await manifestOf(tools, record);
    if (!record.postdeployed) await runScripts(work, manifest, signal);
    if (isPreview(record.track)) {
      const { maxPreviews } = manifest;
      await tools.routes.update(app.name, (table) =>
        withFewerPreviews(table, maxPreviews, record.track, tools.clock.now()),
      );
    }
    await prune(tools, app.name);
    return undefined;
  },
};

/** Once: when what comes after them fails and is tried again, they are not. */
async function runScripts(
  work: ReleaseWork,
  { postdeploy, firstPostdeploy }: ReleaseManifest,
  signal: AbortSignal,
): Promise<void> {
  const { tools, app } = work;
  const isFirst = !app.postdeployed && firstPostdeploy !== undefined;
  await runScript(work, "postdeploy", postdeploy, signal);
  if (isFirst) {
    await runScript(work, "heroku.postdeploy", firstPostdeploy, signal);
    await tools.apps.markPostdeployed(app);
  }
  if (isFirst || postdeploy !== undefined)
    work.record = await tools.releases.advance(work.record, work.record.phase, { postdeployed: true });
}

async function runScript(
  work: ReleaseWork,
  task: string,
  command: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (command === undefined) return;
  const { tools, out } = work;
  out.heading(`${task}: ${command}`);
  const env = await processEnvironment(work, "postdeploy.1", placedHere(tools.home, work.record).kind);
  const timeoutMs = tools.settings.limits.releaseSeconds * 1000;
  const failure = await withDeadline(task, timeoutMs, signal, async (stop) =>
    runReleaseTask(work, { command, env }, stop),
  ).catch((error: unknown) => {
    // A script that hangs has failed.
    if (signal.aborted || !isAppError(error, "step-timeout")) throw error;
    return `not finished after ${timeoutMs / 1000} s`;
  });
  if (failure !== undefined)
    out.line(`Execution of ${task} task failed (${failure}); the release stays live.`);
}
