import { actorOf, type Actor } from "../../../core/records/events/actor.js";
import { AppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import { BY_SLUICE } from "../../../core/records/events/event-record.js";
import { CANARY, type RouteTable } from "../../../core/records/routes/route-table.js";
import type { EventsOfChange } from "../../../core/records/routes/route-tables.js";
import { eventsOfDeparture, type Cause } from "../../events/events-of.js";
import { waitForProxiesIfPossible } from "../../routes/wait-for-proxies.js";
import { withoutCanary, withShare } from "../../routes/route-changes.js";
import type { CanaryNeeds } from "../needs.js";

type RouteTools = Pick<CanaryNeeds, "routes" | "proxyReports" | "clock" | "log">;

/**
 * The canary gets this part of the visitors from now on, until it goes: a person says so. Resolves when every proxy does so, or
 * with the error that names those that do not follow yet. Throws `canary-none`.
 */
export async function setShare(
  tools: RouteTools,
  app: string,
  share: number,
  actor: Actor,
): Promise<AppError | undefined> {
  if ((await tools.routes.read(app)).canary === undefined) throw new AppError("canary-none", { app });
  const change = (table: RouteTable): RouteTable => withShare(table, share, true);
  const revision = await tools.routes.update(app, change, [], eventsOfShare(actor));
  return waitForProxiesIfPossible(tools, revision, app);
}

/** The next step's share, if the canary is still this release and nobody has set another. Answers whether that was so. */
export async function raise(
  tools: RouteTools,
  app: string,
  release: number,
  share: number,
): Promise<boolean> {
  let isRaised = false;
  const change = (table: RouteTable): RouteTable => {
    isRaised = table.tracks[CANARY] === release && table.canary?.isManual === false;
    return isRaised ? withShare(table, share, false) : table;
  };
  const revision = await tools.routes.update(app, change, [], eventsOfShare({ by: BY_SLUICE }));
  await waitForProxiesIfPossible(tools, revision, app);
  return isRaised;
}

/**
 * Out of the traffic at once, whoever was pinned to it; what it has begun it may finish. `only`: if it is this release.
 * Answers its number. Throws `canary-none`.
 */
export async function abort(
  tools: RouteTools & Pick<CanaryNeeds, "releases">,
  app: string,
  { only, ...cause }: Cause & { readonly only?: number },
): Promise<number> {
  const number = (await tools.routes.read(app)).tracks[CANARY];
  if (number === undefined || (only ?? number) !== number) throw new AppError("canary-none", { app });
  const release = await tools.releases.find(app, number);
  // Another one may just have come: it stays.
  const change = (table: RouteTable): RouteTable =>
    table.tracks[CANARY] === number ? withoutCanary(table, tools.clock.now()) : table;
  const events = release === undefined ? [] : eventsOfDeparture(release, cause);
  const revision = await tools.routes.update(app, change, [], () => events);
  await waitForProxiesIfPossible(tools, revision, app);
  return number;
}

function eventsOfShare(actor: Actor): EventsOfChange {
  return ({ before, after }) => {
    const [number, from, to] = [after.tracks[CANARY], before.canary?.share, after.canary?.share];
    if (number === undefined || from === undefined || to === undefined || from === to) return [];
    const [app, release] = [after.app, releaseName(number)];
    const data = { track: CANARY, share: { from, to } };
    return [{ ...actorOf(actor), app, type: "share.changed", release, data }];
  };
}
