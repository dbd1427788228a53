import { abort } from "./share.js";
import type { Tools } from "../../tools.js";

/**
 * A person takes the canary out of the traffic, and the app's receivers are told so; of its own decisions the judge tells.
 * Answers its number. Throws `canary-none`.
 */
export async function abortByHand(tools: Tools, app: string, by: string): Promise<number> {
  const number = await abort(tools, app);
  const canary = await tools.releases.find(app, number);
  if (canary !== undefined) tools.changes.tellLeft(canary, `Aborted by hand (${by}).`);
  return number;
}
