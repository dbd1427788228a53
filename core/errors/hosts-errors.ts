import { entry, printable } from "./catalogue-entry.js";

/** Hosts, proxies and alerts. */
export const hostsErrors = {
  "host-unknown": entry<{ host: string; known: readonly string[] }>(
    404,
    ({ host }) => `There is no host "${printable(host)}".`,
    ({ known }) =>
      known.length === 0
        ? "No monitor has reported yet; `sluice up` starts one."
        : `These are known: ${known.join(", ")}.`,
  ),
  "host-alive": entry<{ host: string; seconds: number }>(
    409,
    ({ host, seconds }) => `${printable(host)} is not gone: its monitor reported ${seconds} s ago.`,
    () => "A host is forgotten once Sluice has stopped there: run `sluice down` on it first.",
  ),
  "proxy-unknown": entry<{ proxy: string; known: readonly string[] }>(
    404,
    ({ proxy }) => `There is no proxy "${printable(proxy)}".`,
    ({ known }) =>
      known.length === 0 ? "No proxy has ever reported." : `These are known: ${known.join(", ")}.`,
  ),
  "proxy-alive": entry<{ proxy: string }>(
    409,
    ({ proxy }) => `The proxy ${printable(proxy)} is not gone: it has just reported.`,
    () =>
      "Stop it there first, with its traffic (sluice down). If it was stopped a moment ago, try again in 10 seconds.",
    true,
  ),
  "alert-unknown": entry<{ id: string; known: readonly string[] }>(
    404,
    ({ id }) => `There is no alert "${printable(id)}" that lasts.`,
    ({ known }) => (known.length === 0 ? "No alert lasts now." : `These last: ${known.join(", ")}.`),
  ),
  "senders-none": entry<{ file: string }>(
    409,
    ({ file }) =>
      `Nobody is notified of alerts: ${file} has none of monitor.email, monitor.webhook and monitor.slack.`,
    () => "docs/alert-recipients.md shows how they are set; then run this again.",
  ),
  "alert-test-failed": entry<{ problems: readonly string[] }>(
    502,
    ({ problems }) => `The test did not reach everybody:\n${problems.join("\n")}`,
    () =>
      "Fix what is said there in `monitor` of sluice.yml, and run this again; an alert would be tried for a day.",
    true,
  ),
} as const;
