import { AppError } from "../../../core/errors/app-error.js";
import { CANARY } from "../../../core/records/routes/route-table.js";
import { waitForProxiesIfPossible } from "../../routes/wait-for-proxies.js";
import { withoutCanary, withShare } from "../../routes/route-changes.js";
import type { Tools } from "../../tools.js";

type RouteTools = Pick<Tools, "routes" | "proxyReports" | "clock" | "log">;

/**
 * The canary gets this part of the visitors from now on, until it goes: a person says so. Resolves when every proxy does so, or
 * with the error that names those that do not follow yet. Throws `canary-none`.
 */
export async function setShare(tools: RouteTools, app: string, share: number): Promise<AppError | undefined> {
  if ((await tools.routes.read(app)).canary === undefined) throw new AppError("canary-none", { app });
  const revision = await tools.routes.update(app, (table) => withShare(table, share, true));
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
  const revision = await tools.routes.update(app, (table) => {
    isRaised = table.tracks[CANARY] === release && table.canary?.isByHand === false;
    return isRaised ? withShare(table, share, false) : table;
  });
  await waitForProxiesIfPossible(tools, revision, app);
  return isRaised;
}

/**
 * Out of the traffic at once, whoever was pinned to it; what it has begun it may finish. `only`: if it is this release.
 * Answers its number. Throws `canary-none`.
 */
export async function abort(tools: RouteTools, app: string, only?: number): Promise<number> {
  const number = (await tools.routes.read(app)).tracks[CANARY];
  if (number === undefined || (only ?? number) !== number) throw new AppError("canary-none", { app });
  // Another one may just have come: it stays.
  const revision = await tools.routes.update(app, (table) =>
    table.tracks[CANARY] === number ? withoutCanary(table, tools.clock.now()) : table,
  );
  await waitForProxiesIfPossible(tools, revision, app);
  return number;
}
