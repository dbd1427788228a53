import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import type { Fleet } from "../fleet.js";
import type { FleetNeeds } from "../fleet-needs.js";
import { orderReplacement, removeLost, replacementReason } from "./replace-host.js";

const CHECK_TIMEOUT_MS = 30_000;

/**
 * Replaces a droplet that runs no instances, a proxy or a replica of Redis, when it has reported nothing for `replaceSeconds`,
 * and is not active or does not answer over SSH. The lost one leaves when the new one is ready. When all hosts are silent at once,
 * the trouble is the server's own, and none is replaced.
 */
export class SilentHosts {
  constructor(
    private readonly needs: FleetNeeds,
    private readonly fleet: Pick<Fleet, "wake">,
  ) {}

  async look(all: readonly FleetHost[], signal: AbortSignal): Promise<void> {
    const ready = all.filter(({ phase }) => phase === "ready");
    const ours = ready.filter(({ droplet, node }) => droplet !== undefined && node === undefined);
    if (ours.length === 0) return;
    const reporting = new Set<string>();
    for (const { name } of ready) if (await this.needs.reports.isReporting(name)) reporting.add(name);
    const isServersTrouble = ready.length > 1 && reporting.size === 0;
    for (const host of ours) {
      const next = all.find(({ reason }) => reason === replacementReason(host));
      if (next !== undefined) await this.leaveIfReplaced(host, next);
      else if (isServersTrouble || reporting.has(host.name)) await this.note(host, undefined);
      else await this.attend(host, signal);
    }
  }

  /** What was ordered is not undone: one that is back meanwhile leaves all the same. */
  private async leaveIfReplaced(host: FleetHost, next: FleetHost): Promise<void> {
    if (next.phase !== "ready") return;
    await removeLost(host, this.needs);
    this.fleet.wake();
  }

  private async attend(host: FleetHost, signal: AbortSignal): Promise<void> {
    const { clock, settings, serverLog } = this.needs;
    const now = clock.now();
    const since = host.downSince === undefined ? now : Date.parse(host.downSince);
    if (host.downSince === undefined) await this.note(host, now);
    if (now - since <= settings.replaceSeconds * 1000) return;
    // Looked at again, or ordered again if that fails, after as long as the first time.
    await this.note(host, now);
    if (await this.isThere(host, signal)) {
      const problem = "a host is silent but answers over SSH: look at sluice.service there";
      serverLog.warn({ host: host.name }, problem);
    } else if (await orderReplacement(host, this.needs)) this.fleet.wake();
  }

  private async isThere(host: FleetHost, signal: AbortSignal): Promise<boolean> {
    const { droplets, setup } = this.needs;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)]);
    const droplet = await droplets?.find(host.droplet?.mark ?? "", limit);
    return droplet?.isActive === true && setup.answers(host, limit);
  }

  private async note({ name, downSince }: FleetHost, at: number | undefined): Promise<void> {
    const since = at === undefined ? undefined : new Date(at).toISOString();
    if (since !== downSince)
      await this.needs.hosts.update(name, (before) => ({ ...before, downSince: since }));
  }
}
