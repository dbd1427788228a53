import { AppError } from "../../core/app-error.js";
import { CANARY } from "../../core/records/route-table.js";
import { applied } from "../releases/applied.js";
import { withoutCanary, withShare } from "../releases/route-changes.js";
import type { Tools } from "../tools.js";

type RouteTools = Pick<Tools, "routes" | "proxyReports" | "clock">;

/** The canary gets this part of the visitors from now on, until it goes. Resolves when every proxy does so. Throws `canary-none`. */
export async function setShare(
  tools: RouteTools,
  app: string,
  share: number,
  { byHand }: { readonly byHand: boolean },
): Promise<void> {
  if ((await tools.routes.read(app)).canary === undefined) throw new AppError("canary-none", { app });
  await applied(tools, await tools.routes.update(app, (table) => withShare(table, share, byHand)));
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
  await applied(tools, revision);
  return number;
}
