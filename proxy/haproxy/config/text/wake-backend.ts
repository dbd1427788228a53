import type { HaproxyOptions } from "../haproxy-options.js";
import { paths } from "../paths.js";
import { slotEntry } from "../entries/slot-entry.js";

/** The backend of releases that sleep, and the header that tells the waker which one to wake (`APP/vN`). */
export const WAKE = "wake";
export const WAKE_HEADER = "sluice-wake";

/** Where requests for releases that sleep go. */
export function wakeBackend({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `# Releases that sleep: the waker starts the one that the header names, and forwards the request to it.
backend ${WAKE} from backends
  # A connection leads to the release that its first request named, so it is never reused, not even by the same visitor.
  option http-server-close
  http-reuse never
  http-request set-header ${WAKE_HEADER} %[var(txn.slot),${slotEntry.field("release")}]
  server waker unix@${paths.wakeSocket(folder)}
`;
}
