import type { Actor } from "../../../core/records/events/actor.js";
import { Repository } from "../../git/repository.js";
import { endTrack } from "../../routes/end-track.js";
import type { Pipeline } from "../pipeline.js";

/** Ends what a branch had that was deleted, when the app is free for it; unless the branch was pushed again by then. */
export async function endBranch(
  pipeline: Pipeline,
  app: string,
  branch: string,
  actor: Actor,
): Promise<void> {
  const { tools } = pipeline;
  const place = { app, what: `the removal of ${branch}`, signal: new AbortController().signal };
  const repository = new Repository(tools.home.repository(app), tools.home.gitHome());
  await pipeline.exclusively(place, async (_signal, locked) => {
    if ((await repository.head(branch)) === undefined) await endTrack(locked, app, branch, actor);
  });
}
