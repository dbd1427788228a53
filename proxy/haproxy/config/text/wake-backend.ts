import type { HaproxyOptions } from "../haproxy-options.js";
import { paths } from "../paths.js";
import { slotEntry } from "../slot-entry.js";

/** The backend of releases that sleep, and the header that names one (`APP/vN`) to whoever wakes it. */
export const WAKE = "wake";
export const WAKE_HEADER = "sluice-wake";

/** Where requests for releases that sleep go. */
export function wakeBackend({ folder }: Pick<HaproxyOptions, "folder">): string {
  return `# Releases that sleep: whoever answers here wakes the one that is named, and passes the request on.
backend ${WAKE} from backends
  # A connection leads to the release that its first request named: no other may follow on it, of the same visitor neither.
  option http-server-close
  http-reuse never
  http-request set-header ${WAKE_HEADER} %[var(txn.slot),${slotEntry.field("release")}]
  server waker unix@${paths.wakeSocket(folder)}
`;
}
