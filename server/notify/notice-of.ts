import { APP_EVENT_TYPES, type AppEventType } from "../../core/records/apps/app-event-type.js";
import type { EventRecord } from "../../core/records/events/event-record.js";
import type { Settings } from "../../core/settings/settings.js";
import type { AppEvent } from "../events/app-event.js";
import { publicUrl } from "../releases/public-url.js";

/** The notification for an event. Undefined for an event that receivers are not notified of. Pure. */
export function noticeOf(settings: Settings, event: EventRecord): AppEvent | undefined {
  const type = APP_EVENT_TYPES.find((known): known is AppEventType => known === event.type);
  const { commit, branch, track, hasUrl, reason, subject } = event.data;
  if (type === "certificate.failed")
    return { type, app: event.app, at: event.at, name: subject ?? "", reason: reason ?? "" };
  if (type === undefined || event.release === undefined) return undefined;
  if (commit === undefined || branch === undefined || track === undefined) return undefined;
  const { app, release, at } = event;
  return {
    ...{ type, app, release, commit, branch, track, at },
    ...(hasUrl === true ? { url: publicUrl(settings, { app, track }) } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}
