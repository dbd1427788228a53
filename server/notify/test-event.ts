import { PRODUCTION } from "../../core/records/routes/route-table.js";
import type { AppEvent } from "../events/app-event.js";

/** A test `release.live`, to see what a receiver gets. */
export function testEvent(app: string, url: string | undefined, now: number): AppEvent {
  return {
    type: "release.live",
    app,
    release: "v1",
    commit: "0".repeat(40),
    branch: "master",
    track: PRODUCTION,
    at: new Date(now).toISOString(),
    ...(url === undefined ? {} : { url }),
    reason: "This is a test: nothing was released.",
    test: true,
  };
}
