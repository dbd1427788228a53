import type { Tools } from "../tools.js";
import { waitForProxiesIfPossible } from "./wait-for-proxies.js";
import { withoutTrack } from "./route-changes.js";

/**
 * What a branch that was deleted had on its track gets no more visitors, and goes when the present ones have left. While the
 * app is held (`exclusively`), with its tools.
 */
export async function endTrack(tools: Tools, app: string, branch: string, by: string): Promise<void> {
  const { routes, releases, branchTracks, changes, clock } = tools;
  const track = await branchTracks.find(app, branch);
  if (track === undefined) return;
  const number = (await routes.read(app)).tracks[track];
  if (number !== undefined) {
    const revision = await routes.update(app, (table) => withoutTrack(table, track, clock.now()));
    await waitForProxiesIfPossible(tools, revision, app);
  }
  await branchTracks.free(app, branch);
  const release = number === undefined ? undefined : await releases.find(app, number);
  if (release !== undefined) changes.tellLeft(release, `Its branch ${branch} was deleted (${by}).`);
}
