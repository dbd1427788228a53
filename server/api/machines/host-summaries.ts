import type { HostPhase, HostSummary } from "../../../core/api/machines/hosts.js";
import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import type { HostRecord } from "../../../core/records/hosts/host-record.js";
import type { TimedSample } from "../../../core/records/hosts/sample-series.js";
import type { EngineHost } from "../../engines/engine-hosts.js";

export interface KnownHosts {
  /** Whose monitor was seen. */
  readonly records: readonly HostRecord[];
  readonly newest: ReadonlyMap<string, TimedSample>;
  /** Those that Sluice configures. */
  readonly fleet: readonly FleetHost[];
  /** Those that run instances; undefined: the engine did not answer. Empty where it has one host. */
  readonly engine: readonly EngineHost[] | undefined;
  /** Why an instance could not be moved yet. */
  readonly problemOf: (instance: string) => string | undefined;
}

/** What is known of each host, from whoever knows it, by name. Pure. */
export function hostSummaries(known: KnownHosts): HostSummary[] {
  const { records, fleet, engine = [] } = known;
  const names = [
    ...records.map(({ id }) => id),
    ...fleet.map(({ name }) => name),
    ...engine.map((node) => nameOf(node, fleet)),
  ];
  return [...new Set(names)]
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .map((name) => summaryOf(name, known));
}

/** What a host is called: as Sluice configured it, whatever it calls itself. Pure. */
export function nameOf({ id, name }: EngineHost, fleet: readonly FleetHost[]): string {
  return fleet.find(({ node }) => node === id)?.name ?? name;
}

function summaryOf(name: string, known: KnownHosts): HostSummary {
  const { records, newest, fleet, engine, problemOf } = known;
  const record = records.find(({ id }) => id === name);
  const configured = fleet.find((each) => each.name === name);
  const node = engine?.find((each) => nameOf(each, fleet) === name);
  const latest = newest.get(name);
  return {
    host: name,
    roles: [...new Set([...(record?.roles ?? []), ...(configured?.roles ?? []), ...(node?.roles ?? [])])],
    phase: phaseOf(configured, node, engine !== undefined),
    address: node?.address ?? configured?.privateAddress ?? configured?.address ?? null,
    left: (node?.draining === true ? node.instances : []).map((instance) => ({
      instance,
      problem: problemOf(instance) ?? null,
    })),
    startedAt: record?.startedAt ?? null,
    inventory: record?.inventory ?? null,
    seenAt: latest === undefined ? null : new Date(latest.at).toISOString(),
    sample: latest?.sample ?? null,
    provisioned: configured === undefined ? null : provisionedOf(configured),
  };
}

function phaseOf(
  configured: FleetHost | undefined,
  node: EngineHost | undefined,
  engineAnswers: boolean,
): HostPhase {
  if (configured !== undefined && configured.phase !== "ready") return configured.phase;
  if (!engineAnswers) return "unknown";
  if (node === undefined) return "ready";
  if (node.state !== "ready") return node.state;
  if (!node.draining) return "ready";
  return node.instances.length === 0 ? "drained" : "draining";
}

function provisionedOf({
  version,
  by,
  reason,
  failure,
  hasReservedAddress,
  droplet,
}: FleetHost): NonNullable<HostSummary["provisioned"]> {
  return {
    version: version ?? null,
    by,
    reason: reason ?? null,
    failure: failure ?? null,
    hasReservedAddress,
    droplet:
      droplet === undefined
        ? null
        : {
            id: droplet.id ?? null,
            size: droplet.size,
            region: droplet.region,
            monthlyUsd: droplet.monthlyUsd,
          },
  };
}
