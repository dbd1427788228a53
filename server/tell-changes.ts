import { CANARY } from "../core/records/routes/route-table.js";
import { beginCanary } from "./canary/judging/begin-canary.js";
import type { AppEvent } from "./events/app-event.js";
import { eventOfDeparture, eventOfRelease } from "./events/events-of.js";
import type { ServerParts } from "./assemble.js";
import { urlOfRelease } from "./releases/what-serves.js";

/**
 * Who hears of what happens to releases: the app's receivers of notifications, the forge that a commit came from, and who
 * keeps how each canary did.
 */
export function tellChanges({
  tools,
  notifier,
  reporter,
  canaries,
}: Pick<ServerParts, "tools" | "notifier" | "reporter" | "canaries">): void {
  const now = (): string => new Date(tools.clock.now()).toISOString();
  const tell = async (event: AppEvent | undefined): Promise<void> => {
    if (event !== undefined) await notifier.tell(event);
  };
  tools.changes.listen({
    changed: async ({ before, after }) => {
      // Whoever tells it again, after a crash, says the same.
      const at = before?.phase === after.phase ? now() : (after.reachedAt[after.phase] ?? now());
      return tell(eventOfRelease(before, after, { at, url: urlOfRelease(tools.settings, after) }));
    },
    left: async ({ release, reason }) =>
      tell(eventOfDeparture(release, { at: now(), url: urlOfRelease(tools.settings, release), reason })),
  });
  tools.changes.listen({ changed: async ({ after }) => reporter.tell(after) });
  tools.changes.listen({
    changed: async ({ before, after }) =>
      after.track === CANARY && after.phase === "live" && before?.phase !== "live"
        ? beginCanary(tools, canaries, after)
        : undefined,
  });
}
