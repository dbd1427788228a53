import { isAppError, toAppError } from "../../core/errors/app-error.js";
import { Ticker } from "../../core/loop/ticker.js";
import type { FleetHost } from "../../core/records/fleet/fleet-host.js";
import type { FleetNeeds } from "./fleet-needs.js";
import { hostEvent } from "./host-event.js";

const TICK_MS = 2000;
/** A proxy that is silent (core/records/routes/proxy-reports) may be back by then. */
const PATIENCE_MS = 5000;
/** Between two looks at who has it: somebody may have moved it by hand. */
const LOOK_AGAIN_MS = 30_000;
const MOVE_TIMEOUT_MS = 120_000;

/**
 * Keeps a reserved IP at a droplet whose proxy follows the routes. It stays where it is as long as that works, and where no
 * other would be better. Nobody but the server moves it, so there is no race.
 */
export class ReservedAddress {
  private readonly ticker: Ticker;
  private holder: number | undefined;
  private lookedAt = -Infinity;
  private silentSince: number | undefined;

  constructor(
    private readonly needs: FleetNeeds,
    private readonly address: string,
  ) {
    this.ticker = new Ticker({
      ...{ everyMs: TICK_MS, clock: needs.clock },
      job: async (signal) => this.look(signal),
      onError: (error) => {
        // What is known may not be true any more.
        this.lookedAt = -Infinity;
        needs.serverLog.warn({ err: toAppError(error), address }, "could not look after the reserved IP");
      },
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return { stop: async () => this.ticker.stop() };
  }

  private async look(signal: AbortSignal): Promise<void> {
    const { hosts, reports, clock } = this.needs;
    const all = await hosts.list();
    const proxies = all.filter(
      ({ roles, phase, droplet }) =>
        roles.includes("proxy") && phase === "ready" && droplet?.id !== undefined,
    );
    if (proxies.length === 0) return;
    await this.readHolder(signal);
    const holder = proxies.find(({ droplet }) => droplet?.id === this.holder);
    const following: FleetHost[] = [];
    for (const proxy of proxies) if (await reports.isFollowing(proxy.name)) following.push(proxy);
    const isFine = holder !== undefined && following.includes(holder);
    if (isFine) this.silentSince = undefined;
    await this.note(all);
    if (isFine) return;
    this.silentSince ??= clock.now();
    // One that is no proxy of ours, or leaves, is not waited for.
    if (holder !== undefined && clock.now() - this.silentSince < PATIENCE_MS) return;
    const [next] = following.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
    if (next !== undefined) await this.give(next, holder, signal);
  }

  private async readHolder(signal: AbortSignal): Promise<void> {
    const { droplets, clock } = this.needs;
    if (clock.now() - this.lookedAt < LOOK_AGAIN_MS) return;
    this.holder = await droplets?.holderOf(this.address, signal);
    this.lookedAt = clock.now();
  }

  private async give(next: FleetHost, before: FleetHost | undefined, signal: AbortSignal): Promise<void> {
    const { droplets, hosts, serverLog } = this.needs;
    const { address } = this;
    const id = next.droplet?.id;
    if (droplets === undefined || id === undefined) return;
    const why = before === undefined ? "no proxy that works had it" : `${before.name} was silent`;
    serverLog.info({ address, host: next.name, why }, "the reserved IP is moved");
    const limit = AbortSignal.any([signal, AbortSignal.timeout(MOVE_TIMEOUT_MS)]);
    try {
      await droplets.giveAddress(address, id, limit);
    } catch (error) {
      if (isAppError(error)) this.lookedAt = -Infinity;
      throw error;
    }
    this.holder = id;
    this.silentSince = undefined;
    const event = hostEvent("host.address", next, `it has ${address} now: ${why}`);
    await hosts.update(next.name, (record) => ({ ...record, hasReservedAddress: true }), event);
    await this.note(await hosts.list());
  }

  /** For people, and for a host that leaves. */
  private async note(all: readonly FleetHost[]): Promise<void> {
    for (const { name, droplet, hasReservedAddress } of all) {
      const has = droplet?.id !== undefined && droplet.id === this.holder;
      if (has !== hasReservedAddress)
        await this.needs.hosts.update(name, (record) => ({ ...record, hasReservedAddress: has }));
    }
  }
}
