import type { HostRecords } from "../../../core/records/hosts/host-records.js";
import type { SampleSeries } from "../../../core/records/hosts/sample-series.js";
import type { ProxyReports } from "../../../core/records/routes/proxy-reports.js";
import type { TrafficSeries } from "../../../core/records/traffic/traffic-series.js";
import type { HostReports } from "../../../provisioning/fleet/fleet-needs.js";

export interface HostReportsOptions {
  readonly records: HostRecords;
  readonly series: SampleSeries;
  readonly proxies: ProxyReports;
  readonly traffic: TrafficSeries;
  /** ms since 1970, by the clock that gives samples their times. */
  readonly now: () => Promise<number>;
}

/** After so long without a sample a monitor is silent. */
const SILENT_AFTER_MS = 15_000;

/** What monitors and proxies of other hosts have written. */
export function hostReports({ records, series, proxies, traffic, now }: HostReportsOptions): HostReports {
  const proxiesOf = async (host: string): ReturnType<ProxyReports["members"]> =>
    (await proxies.members()).filter(({ id }) => id.startsWith(`${host}:`));
  const isFollowing = async (host: string): Promise<boolean> =>
    (await proxiesOf(host)).some(({ isSilent }) => !isSilent);
  return {
    hasJoined: async (host, roles, since) => {
      const newest = (await series.newest([host])).get(host);
      if (newest === undefined || newest.at < since) return false;
      if (!roles.includes("proxy")) return true;
      return isFollowing(host);
    },
    isFollowing,
    isReporting: async (host) => {
      if (await isFollowing(host)) return true;
      const newest = (await series.newest([host])).get(host);
      return newest !== undefined && (await now()) - newest.at < SILENT_AFTER_MS;
    },
    forget: async (host) => {
      for (const member of await proxiesOf(host)) {
        await proxies.remove(member);
        await traffic.removeProxy(member.id);
      }
      if ((await records.find(host)) !== undefined) await records.remove(host);
      await series.remove(host);
    },
  };
}
