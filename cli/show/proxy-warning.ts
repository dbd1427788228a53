import type { ProxySummary } from "../../core/api/machines/proxies.js";
import { utcTime } from "./utc-time.js";

/** What is wrong with a proxy; nothing when it does as it is told. */
export function proxyWarning({ proxy, reports, seenAt, failing }: ProxySummary): string[] {
  if (!reports)
    return [
      `${proxy} has not reported since ${utcTime(seenAt)} UTC: nothing is stopped that it may lead visitors to.`,
      `If that machine is gone for good: sluice hosts remove ${proxy}`,
    ];
  return failing.length === 0 ? [] : [`${proxy} cannot apply the routes of ${failing.join(", ")}`];
}
