import { eventOfRelease } from "./notify/events-of.js";
import type { ServerParts } from "./parts.js";
import { publicUrl } from "./releases/public-url.js";

/** Who hears of what happens to releases: the app's receivers of notifications, and the Git host that a commit came from. */
export function tellChanges({
  tools,
  notifier,
  reporter,
}: Pick<ServerParts, "tools" | "notifier" | "reporter">): void {
  tools.changes.listen(async ({ before, after }) => {
    const at = new Date(tools.clock.now()).toISOString();
    const event = eventOfRelease(before, after, { at, url: publicUrl(tools.settings, after) });
    if (event !== undefined) await notifier.tell(event);
  });
  tools.changes.listen(async ({ after }) => reporter.tell(after));
}
