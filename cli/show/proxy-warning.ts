import type { ProxySummary } from "../../core/api/machines/proxies.js";
import { utcTime } from "./utc-time.js";

/** What is wrong with a proxy; empty when nothing is. */
export function proxyWarning({ proxy, reports, seenAt, failing }: ProxySummary): string[] {
  if (!reports)
    return [
      `${proxy} has not reported since ${utcTime(seenAt)} UTC: instances it may send visitors to are not stopped.`,
      `If that host is gone for good: sluice hosts remove ${proxy}`,
    ];
  return failing.length === 0 ? [] : [`${proxy} cannot apply the routes of ${failing.join(", ")}`];
}
