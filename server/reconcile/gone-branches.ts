import { BY_SLUICE } from "../../core/records/events/event-record.js";
import { access } from "node:fs/promises";
import { toAppError } from "../../core/errors/app-error.js";
import { isUnfinished } from "../../core/records/releases/phase.js";
import { Repository } from "../git/repository.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { endTrack } from "../routes/end-track.js";
import type { ReconcileNeeds } from "./needs.js";

/**
 * Ends previews, and frees names kept for some, whose branch is gone: Redis was away, or the server ended, when it was deleted
 * or its first push was declined. Only in the app's place in the queue. Returns whether there were any.
 */
export async function endGoneBranches(
  tools: ReconcileNeeds,
  pipeline: Pipeline,
  app: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const gone = await goneBranches(tools, app);
    if (gone.length === 0) return false;
    tools.log.info({ app, branches: gone }, "ending previews of deleted branches");
    await pipeline.locked({ app, what: "the removal of deleted branches", signal }, async (_, locked) => {
      for (const branch of gone)
        await endTrack(locked, app, branch, { by: BY_SLUICE }, "found deleted at the start");
    });
    return true;
  } catch (error) {
    tools.log.error({ err: toAppError(error), app }, "could not end the previews of deleted branches");
    return true;
  }
}

async function goneBranches(
  { home, branchTracks, releases }: ReconcileNeeds,
  app: string,
): Promise<string[]> {
  const path = home.repository(app);
  const hasRepository = await access(path).then(
    () => true,
    () => false,
  );
  const previews = hasRepository ? await branchTracks.branches(app) : [];
  if (previews.length === 0) return [];
  const kept = new Set(await new Repository(path, home.gitHome()).branches());
  for (const { phase, branch } of await releases.list(app)) if (isUnfinished(phase)) kept.add(branch);
  return previews.filter((branch) => !kept.has(branch));
}
