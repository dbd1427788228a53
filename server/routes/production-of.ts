import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { PRODUCTION } from "../../core/records/routes/route-table.js";
import type { RoutesNeeds } from "./needs.js";

/** The release that serves as production; undefined where there is none. */
export async function productionOf(
  { routes, releases }: Pick<RoutesNeeds, "routes" | "releases">,
  app: string,
): Promise<ReleaseRecord | undefined> {
  const number = (await routes.read(app)).tracks[PRODUCTION];
  return number === undefined ? undefined : releases.find(app, number);
}
