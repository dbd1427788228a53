/** The events that an app's receivers are notified of. */
export const APP_EVENT_TYPES = [
  "release.live",
  "release.failed",
  "release.rolled-back",
  "canary.live",
  "canary.promoted",
  "canary.aborted",
  "canary.failed",
  "certificate.failed",
] as const;

export type AppEventType = (typeof APP_EVENT_TYPES)[number];
