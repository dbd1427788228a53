import { abort } from "./share.js";
import type { Tools } from "../../tools.js";

/**
 * Takes the canary out of the traffic for a person, and notifies the app's receivers. (The judge announces its own decisions.)
 * Returns its number. Throws `canary-none`.
 */
export async function abortByHand(tools: Tools, app: string, by: string): Promise<number> {
  const number = await abort(tools, app);
  const canary = await tools.releases.find(app, number);
  if (canary !== undefined) tools.changes.tellLeft(canary, `Aborted by hand (${by}).`);
  return number;
}
