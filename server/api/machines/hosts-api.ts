import { Router } from "express";
import { samplesStepSchema, type HostSamples, type HostSummary } from "../../../core/api/machines/hosts.js";
import type { Database } from "../../../core/redis/database.js";
import { AppError } from "../../../core/errors/app-error.js";
import { FleetHosts } from "../../../core/records/fleet/fleet-hosts.js";
import { HostRecords } from "../../../core/records/hosts/host-records.js";
import { SampleSeries } from "../../../core/records/hosts/sample-series.js";
import type { Clock } from "../../../core/clock.js";
import type { Settings } from "../../../core/settings/settings.js";
import type { ServerParts } from "../../assemble.js";
import { unlessUnavailable } from "../../engines/unless-unavailable.js";
import { holderOf } from "../guards/require-token.js";
import { needs } from "../guards/needs.js";
import { parseRange } from "../requests/parse-range.js";
import { hostSummaries } from "./host-summaries.js";

const HOUR_MS = 3_600_000;
const MOST_POINTS = 5000;

interface HostsApiOptions {
  readonly redis: Database;
  readonly clock: Clock;
  readonly settings: Pick<Settings, "monitor">;
  readonly hosts: ServerParts["hosts"];
}

/** `GET /hosts`, `GET /hosts/ID/samples?from&to&step`, `DELETE /hosts/ID`. */
export function hostsApi({ redis, clock, settings, hosts: ofEngine }: HostsApiOptions): Router {
  const [hosts, series, fleetHosts] = [
    new HostRecords(redis),
    new SampleSeries(redis),
    new FleetHosts(redis),
  ];
  const known = async (id: string): Promise<string> => {
    if ((await hosts.find(id)) !== undefined) return id;
    throw new AppError("host-unknown", { host: id, known: (await hosts.list()).map((record) => record.id) });
  };
  const router = Router();
  router.get("/hosts", needs.all("read"), async (_request, response) => {
    const [records, fleet, engine] = await Promise.all([
      hosts.list(),
      fleetHosts.list(),
      ofEngine === undefined ? [] : unlessUnavailable(ofEngine.engine.list()),
    ]);
    const newest = await series.newest(records.map(({ id }) => id));
    const problemOf = (instance: string): string | undefined => ofEngine?.drains.problemOf(instance)?.message;
    response.json(hostSummaries({ records, newest, fleet, engine, problemOf }) satisfies HostSummary[]);
  });
  router.get("/hosts/:host/samples", needs.all("read"), async (request, response) => {
    const host = await known(request.params.host);
    const step = parseStep(request.query["step"]);
    const { from, to } = parseRange(request.query, clock.now(), {
      usualMs: HOUR_MS,
      longestMs: Math.min(step < 60 ? HOUR_MS : 30 * 24 * HOUR_MS, MOST_POINTS * step * 1000),
      step,
    });
    const points = await series.range(host, { from, to, stepSeconds: step });
    response.json({
      host,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      step,
      points: points.map(({ at, ...point }) => ({ at: new Date(at).toISOString(), ...point })),
    } satisfies HostSamples);
  });
  router.delete("/hosts/:host", needs.all("admin"), async (request, response) => {
    const host = await known(request.params.host);
    const reportedAt = (await series.newest([host])).get(host)?.at ?? 0;
    const seconds = Math.max(0, Math.round((clock.now() - reportedAt) / 1000));
    if (seconds < settings.monitor.silentSeconds) throw new AppError("host-alive", { host, seconds });
    await hosts.remove(host, holderOf(response));
    await series.remove(host);
    response.status(204).end();
  });
  return router;
}

function parseStep(text: unknown): number {
  const parsed = samplesStepSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new AppError("request-invalid", { problem: "step: must be whole seconds, 1 to 86400" });
}
