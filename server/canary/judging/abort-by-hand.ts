import { abort } from "./share.js";
import type { Tools } from "../../tools.js";

/** A person takes the canary out of the traffic. Answers its number. Throws `canary-none`. */
export async function abortByHand(
  tools: Pick<Tools, "routes" | "releases" | "proxyReports" | "clock" | "log">,
  app: string,
  by: string,
): Promise<number> {
  return abort(tools, app, { by, reason: `Aborted by hand (${by}).` });
}
