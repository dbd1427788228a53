import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import type { FleetNeeds } from "../fleet-needs.js";

/** What is done to a host in one phase. It can be cut short anywhere and run again: what it has done is found and kept. */
export interface FleetStep {
  /** For people: `ordering a droplet`. */
  readonly name: string;
  /** So long failures that may pass by themselves are tried again, from the beginning of the phase; undefined: for ever. */
  readonly patienceMs: number | undefined;
  /** Returns the host in its next phase, or `gone` when nothing of it is left. */
  readonly run: (host: FleetHost, needs: FleetNeeds, signal: AbortSignal) => Promise<FleetHost | "gone">;
}

/** Saves a change in between. Throws if the host was removed meanwhile, or is to leave. */
export async function saveHost(
  { hosts }: Pick<FleetNeeds, "hosts">,
  host: FleetHost,
  change: Partial<FleetHost>,
): Promise<FleetHost> {
  const saved = await hosts.update(host.name, (before) => ({ ...before, ...change }));
  if (saved?.phase !== host.phase) throw new HostOvertaken(host.name);
  return saved;
}

/** Something else is to be done with the host by now. */
export class HostOvertaken extends Error {
  constructor(host: string) {
    super(`${host} is in another phase by now`);
  }
}
