import { AppError } from "../../../core/errors/app-error.js";
import { manifestOf } from "../../builds/manifest/manifest-of.js";
import { placedHere } from "../../builds/placed-tree.js";
import { runReleaseTask } from "../../builds/task.js";
import {
  followPreviewPassword,
  previewPasswordOf,
  withPreviewPassword,
} from "../../routes/preview-access.js";
import { withoutUnvisited, withRelease } from "../../routes/route-changes.js";
import { bringUp } from "../bring-up/bring-up.js";
import { ensureRedisUser } from "../bring-up/ensure-redis-user.js";
import { stopWhenOut } from "../bring-up/stop-instances.js";
import { withDeadline } from "../runner/deadline.js";
import { processEnvironment } from "../environment.js";
import { applyAppJsonEnv } from "../release-config.js";
import type { ReleaseWork, Step } from "../step.js";

/** Its parts have a time limit each, which tells more. */
const SLACK_MS = 60_000;

/**
 * The Procfile's `release:` once, then every instance of every process, started and healthy. Then the release can be looked
 * at under `vN.APP.DOMAIN`.
 */
export const start: Step = {
  name: "start",
  reaches: "healthy",
  timeoutMs: ({ limits }) => 3 * limits.releaseSeconds * 1000 + SLACK_MS,
  run: async (work, signal) => {
    const { tools, app } = work;
    const limitMs = tools.settings.limits.releaseSeconds * 1000;
    await withDeadline("start", limitMs, signal, async (stop) => prepare(work, stop));
    const instances = await bringUp(work, {
      signal,
      present: [],
      check: "fresh",
      keepsFresh: true,
      onStarted: async (started) => {
        work.record = await tools.releases.advance(work.record, "started", { instances: started });
      },
    });
    work.record = { ...work.record, instances };
    // The password holds from the first moment that the release can be reached.
    const password = await previewPasswordOf(tools, app.name);
    await tools.routes.update(app.name, (table) =>
      withPreviewPassword(withRelease(table, work.record, tools.clock.now()), password),
    );
    await followPreviewPassword(tools, app.name);
    return { instances };
  },
  undo: async (work) => {
    const isRouted = await takeOut(work);
    // What the proxy still routes has visitors: a failed rollback leaves it as it was.
    if (!isRouted) await stopWhenOut(work);
  },
};

async function prepare(work: ReleaseWork, signal: AbortSignal): Promise<void> {
  const manifest = await manifestOf(work.tools, work.record);
  await applyAppJsonEnv(work, manifest);
  const { releaseCommand } = manifest;
  if (work.record.steps !== "deploy" || releaseCommand === undefined) return;
  const { out } = work;
  await ensureRedisUser(work);
  out.heading(`release: ${releaseCommand}`);
  const failure = await runReleaseTask(
    work,
    {
      command: releaseCommand,
      env: await processEnvironment(work, "release.1", placedHere(work.tools.home, work.record).kind),
    },
    signal,
  );
  if (failure !== undefined) throw new AppError("task-failed", { task: "release", status: failure });
}

/** Takes a release that nobody has visited out of the route table. Returns whether it is still in it. */
async function takeOut(work: ReleaseWork): Promise<boolean> {
  const { number } = work.record;
  const seen = { before: false, after: false };
  const revision = await work.tools.routes.update(work.app.name, (table) => {
    const next = withoutUnvisited(table, number);
    seen.before = table.releases.some((release) => release.number === number);
    seen.after = next.releases.some((release) => release.number === number);
    return next;
  });
  if (seen.before) work.goneSince = revision;
  return seen.after;
}
