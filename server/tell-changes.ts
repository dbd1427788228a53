import type { AppEvent } from "./notify/app-event.js";
import { eventOfDeparture, eventOfRelease } from "./notify/events-of.js";
import type { ServerParts } from "./parts.js";
import { publicUrl } from "./releases/public-url.js";

/** Who hears of what happens to releases: the app's receivers of notifications, and the Git host that a commit came from. */
export function tellChanges({
  tools,
  notifier,
  reporter,
}: Pick<ServerParts, "tools" | "notifier" | "reporter">): void {
  const now = (): string => new Date(tools.clock.now()).toISOString();
  const tell = async (event: AppEvent | undefined): Promise<void> => {
    if (event !== undefined) await notifier.tell(event);
  };
  tools.changes.listen({
    changed: async ({ before, after }) =>
      tell(eventOfRelease(before, after, { at: now(), url: publicUrl(tools.settings, after) })),
    left: async ({ release, reason }) =>
      tell(eventOfDeparture(release, { at: now(), url: publicUrl(tools.settings, release), reason })),
  });
  tools.changes.listen({ changed: async ({ after }) => reporter.tell(after) });
}
