import { actorOf, type Actor } from "../../../core/records/events/actor.js";
import { abort } from "./share.js";
import type { CanaryNeeds } from "../needs.js";

/** A person takes the canary out of the traffic. Answers its number. Throws `canary-none`. */
export async function abortByHand(
  tools: Pick<CanaryNeeds, "routes" | "releases" | "proxyReports" | "clock" | "log">,
  app: string,
  actor: Actor,
): Promise<number> {
  return abort(tools, app, { ...actorOf(actor), reason: `Aborted by hand (${actor.by}).` });
}
