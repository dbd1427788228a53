import { abort } from "../canary/share.js";
import { eventOfAbort } from "../notify/events-of.js";
import type { Notifier } from "../notify/notifier.js";
import { publicUrl } from "../releases/public-url.js";
import type { Tools } from "../tools.js";

/**
 * A person takes the canary out of the traffic, and the app's receivers are told so; of its own decisions the judge tells.
 * Answers its number. Throws `canary-none`.
 */
export async function abortByHand(
  { tools, notifier }: { readonly tools: Tools; readonly notifier: Notifier },
  app: string,
  by: string,
): Promise<number> {
  const number = await abort(tools, app);
  // It is out, whether anybody can be told or not.
  await tell(tools, notifier, { app, number, by }).catch((error: unknown) =>
    tools.log.warn({ err: error, app }, "an abort was not told"),
  );
  return number;
}

async function tell(
  { releases, settings, clock }: Tools,
  notifier: Notifier,
  { app, number, by }: { readonly app: string; readonly number: number; readonly by: string },
): Promise<void> {
  const canary = await releases.find(app, number);
  if (canary === undefined) return;
  const at = new Date(clock.now()).toISOString();
  await notifier.tell(eventOfAbort(canary, { at, url: publicUrl(settings, canary), by }));
}
