import type { RequestHandler } from "express";
import { coversApp } from "../../../core/api/access/scope.js";
import type { Database } from "../../../core/redis/database.js";
import { HostRecords } from "../../../core/records/hosts/host-records.js";
import { SampleSeries } from "../../../core/records/hosts/sample-series.js";
import { authenticate, type Access } from "../../access/authenticate.js";
import { isForAllApps } from "../../access/holder.js";
import type { ApiNeeds } from "../needs.js";
import { proxySummary } from "../summaries/proxy-summary.js";
import { prometheusText, type HostSample } from "./prometheus.js";

const FRESH_MS = 15_000;

/**
 * `GET /metrics` for Prometheus, with `Authorization: Bearer TOKEN` or `?token=TOKEN`: of the apps in its scope, and of the
 * proxies and hosts if it is for all apps.
 */
export function metrics(
  tools: Pick<ApiNeeds, "apps" | "engine" | "traffic" | "routes" | "proxyReports" | "clock">,
  access: Access,
  redis: Database,
): RequestHandler {
  return async (request, response) => {
    const holder = await authenticate(access, request, { by: ["bearer", "query"] });
    const [all, states] = await Promise.all([tools.apps.list(), tools.engine.list()]);
    const apps = all.filter(({ name }) => coversApp(holder.scope, name));
    const [traffic, gauges, proxies, hosts] = await Promise.all([
      Promise.all(
        apps.map(async ({ name }) =>
          (await tools.traffic.totals(name)).map((total) => ({ app: name, ...total })),
        ),
      ),
      Promise.all(
        apps.map(async ({ name }) => ({
          app: name,
          releases: (await tools.routes.read(name)).releases.length,
          instances: states.filter(({ id, running }) => running && id.startsWith(`${name}.`)).length,
        })),
      ),
      isForAllApps(holder) ? tools.proxyReports.members() : [],
      // A sample has figures of everything on the machine.
      isForAllApps(holder) ? hostSamples(redis, tools.clock.now()) : [],
    ]);
    const text = prometheusText({
      traffic: traffic.flat(),
      apps: gauges,
      proxies: proxies.map(proxySummary),
      hosts,
    });
    response.set("Cache-Control", "no-store").type("text/plain; version=0.0.4; charset=utf-8").send(text);
  };
}

/** Prometheus keeps no figures of a host that tells none. */
async function hostSamples(redis: Database, now: number): Promise<HostSample[]> {
  const hosts = (await new HostRecords(redis).list()).map(({ id }) => id);
  const newest = await new SampleSeries(redis).newest(hosts);
  return [...newest].flatMap(([host, { at, sample }]) => (now - at < FRESH_MS ? [{ host, sample }] : []));
}
