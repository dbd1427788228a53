import { actorOf, type Actor } from "../../core/records/events/actor.js";
import type { RoutesNeeds } from "./needs.js";
import { eventsOfDeparture } from "../events/events-of.js";
import { waitForProxiesIfPossible } from "./wait-for-proxies.js";
import { withoutTrack } from "./route-changes.js";

/**
 * What a branch that was deleted had on its track gets no more visitors, and goes when the present ones have left. While the
 * app is held (`exclusively`), with its tools. `how`: what is said of that, if not who did it.
 */
export async function endTrack(
  tools: RoutesNeeds,
  app: string,
  branch: string,
  actor: Actor,
  how = actor.by,
): Promise<void> {
  const { routes, releases, branchTracks, clock } = tools;
  const track = await branchTracks.find(app, branch);
  if (track === undefined) return;
  const number = (await routes.read(app)).tracks[track];
  if (number !== undefined) {
    const release = await releases.find(app, number);
    const cause = { ...actorOf(actor), reason: `Its branch ${branch} was deleted (${how}).` };
    const revision = await routes.update(
      app,
      (table) => withoutTrack(table, track, clock.now()),
      [],
      ({ before }) =>
        release !== undefined && before.tracks[track] === number ? eventsOfDeparture(release, cause) : [],
    );
    await waitForProxiesIfPossible(tools, revision, app);
  }
  await branchTracks.free(app, branch);
}
