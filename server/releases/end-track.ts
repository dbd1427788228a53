import type { Tools } from "../tools.js";
import { appliedIfPossible } from "./applied.js";
import { withoutTrack } from "./route-changes.js";
import { trackOfBranch } from "./track-of-branch.js";

/** What a branch that was deleted had on its track gets no more visitors, and goes when the present ones have left. */
export async function endTrack(tools: Tools, app: string, branch: string, by: string): Promise<void> {
  const { routes, releases, changes, clock } = tools;
  const track = trackOfBranch(branch);
  const number = (await routes.read(app)).tracks[track];
  const revision = await routes.update(app, (table) => withoutTrack(table, track, clock.now()));
  await appliedIfPossible(tools, revision, app);
  const release = number === undefined ? undefined : await releases.find(app, number);
  if (release !== undefined) changes.tellLeft(release, `Its branch ${branch} was deleted (${by}).`);
}
