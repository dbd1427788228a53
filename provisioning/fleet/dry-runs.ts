import { randomBytes } from "node:crypto";
import type { Begun } from "../../core/api/machines/provision.js";
import { toAppError } from "../../core/errors/app-error.js";
import type { FleetHost } from "../../core/records/fleet/fleet-host.js";
import type { FleetNeeds } from "./fleet-needs.js";
import { peersOf } from "./peers.js";

const TIMEOUT_MS = 300_000;

/** What would be changed on hosts. They leave no record, only a log. */
export class DryRuns {
  private readonly running = new Set<string>();

  constructor(private readonly needs: FleetNeeds) {}

  isRunning(name: string): boolean {
    return this.running.has(name);
  }

  async begin(host: FleetHost): Promise<Begun> {
    const { setup, log, settings, hosts } = this.needs;
    const name = `dry-run-${randomBytes(4).toString("hex")}`;
    this.running.add(name);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const peers = peersOf(host, [...(await hosts.list()), host], settings);
    const options = { mode: "dry-run", peers, signal, logAs: name } as const;
    void setup
      .configure(host, options)
      .catch(async (error: unknown) => {
        const { message, hint } = toAppError(error);
        for (const text of [message, hint]) await log.add(name, { kind: "problem", text });
      })
      .finally(() => this.running.delete(name))
      .catch(() => undefined);
    return { host: name, after: "0" };
  }
}
