import { abort } from "./share.js";
import type { CanaryNeeds } from "../needs.js";

/** A person takes the canary out of the traffic. Answers its number. Throws `canary-none`. */
export async function abortByHand(
  tools: Pick<CanaryNeeds, "routes" | "releases" | "proxyReports" | "clock" | "log">,
  app: string,
  by: string,
): Promise<number> {
  return abort(tools, app, { by, reason: `Aborted by hand (${by}).` });
}
