import { isPreview } from "../../../core/records/route-table.js";
import { withFewerPreviews } from "../../releases/route-changes.js";
import { processEnvironment } from "../environment.js";
import { readManifest } from "../manifest/manifest.js";
import { prune } from "../prune.js";
import type { ReleaseWork, Step } from "../step.js";
import { runTask } from "../task.js";

/**
 * What follows the switch: postdeploy scripts (a failing one is told, no more), place made among the previews, and pruning.
 * Draining goes on by itself.
 */
export const settle: Step = {
  name: "settle",
  reaches: "settled",
  timeoutMs: ({ limits }) => limits.releaseSeconds * 1000,
  run: async (work, signal) => {
    const { tools, app, record } = work;
    const { appJson } = await readManifest(
      tools.home.tree(app.name, record.number),
      tools.settings.instances.memoryMegabytes,
    );
    await runScript(work, "postdeploy", appJson.scripts.dokku.postdeploy, signal);
    if (!app.postdeployed && appJson.scripts.postdeploy !== undefined) {
      await runScript(work, "heroku.postdeploy", appJson.scripts.postdeploy, signal);
      await tools.apps.markPostdeployed(app);
    }
    if (isPreview(record.track)) {
      const { max } = appJson.sluice.previews;
      await tools.routes.update(app.name, (table) =>
        withFewerPreviews(table, max, record.track, tools.clock.now()),
      );
    }
    await prune(tools, app.name);
    return undefined;
  },
};

async function runScript(
  work: ReleaseWork,
  task: string,
  command: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (command === undefined) return;
  const { tools, app, record, out } = work;
  out.heading(`${task}: ${command}`);
  const env = await processEnvironment(work, "postdeploy.1");
  const failure = await runTask(
    work,
    { command, cwd: tools.home.tree(app.name, record.number), env },
    signal,
  );
  if (failure !== undefined)
    out.line(`Execution of ${task} task failed (${failure}); the release stays live.`);
}
