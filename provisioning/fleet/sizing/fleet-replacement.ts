import { toAppError } from "../../../core/errors/app-error.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import type { Fleet } from "../fleet.js";
import type { FleetNeeds } from "../fleet-needs.js";
import { orderReplacement, removeLost, replacementReason } from "./replace-host.js";
import { SilentHosts } from "./silent-hosts.js";

const TICK_MS = 5000;

/**
 * Replaces a droplet that the engine has lost for `replaceSeconds`: another one is ordered for its role, and it leaves. One
 * that is back before stays, and its instances are spread again. A host that the engine cannot tell of is not lost. Of those
 * that the engine does not know, see `SilentHosts`.
 */
export class FleetReplacement {
  private readonly ticker: Ticker;
  private readonly others: SilentHosts;

  constructor(
    private readonly needs: FleetNeeds,
    private readonly fleet: Pick<Fleet, "wake">,
  ) {
    this.others = new SilentHosts(needs, fleet);
    this.ticker = new Ticker({
      ...{ everyMs: TICK_MS, clock: needs.clock },
      job: async (signal) => this.look(signal),
      onError: (error) => needs.serverLog.warn({ err: toAppError(error) }, "could not look for lost hosts"),
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return { stop: async () => this.ticker.stop() };
  }

  private async look(signal: AbortSignal): Promise<void> {
    const { hosts, engine } = this.needs;
    const all = await hosts.list();
    await this.others.look(all, signal);
    const ours = all.filter(
      ({ phase, droplet, node }) => phase === "ready" && droplet !== undefined && node !== undefined,
    );
    if (ours.length === 0) return;
    const states = new Map((await engine.list()).map(({ id, state }) => [id, state]));
    for (const host of ours) await this.attend(host, states.get(host.node ?? ""), all);
  }

  private async attend(host: FleetHost, state: string | undefined, all: readonly FleetHost[]): Promise<void> {
    const { hosts, clock, settings } = this.needs;
    const { name, downSince } = host;
    if (state === "ready" && downSince !== undefined)
      await hosts.update(name, (before) => ({ ...before, downSince: undefined }));
    if (state !== "down") return;
    const now = clock.now();
    if (downSince === undefined) {
      const at = new Date(now).toISOString();
      await hosts.update(name, (before) => ({ ...before, downSince: at }));
    } else if (now - Date.parse(downSince) > settings.replaceSeconds * 1000) await this.replace(host, all);
  }

  /** Cut short in between, the next look finds the new one by its reason. */
  private async replace(host: FleetHost, all: readonly FleetHost[]): Promise<void> {
    if (!all.some(({ reason }) => reason === replacementReason(host)))
      // If that fails, the lost one costs as much as one that serves, and goes all the same.
      await orderReplacement(host, this.needs);
    await removeLost(host, this.needs);
    this.fleet.wake();
  }
}
