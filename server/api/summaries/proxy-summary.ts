import type { ProxySummary } from "../../../core/api/machines/proxies.js";
import type { ProxyMember } from "../../../core/records/routes/proxy-reports.js";

export function proxySummary({ id, report, seenAt, isSilent }: ProxyMember): ProxySummary {
  const { revision, failing, hasSharedAddress } = report;
  return {
    ...{ proxy: id, reports: !isSilent, seenAt: new Date(seenAt).toISOString(), revision, failing },
    hasSharedAddress: hasSharedAddress && !isSilent,
  };
}
