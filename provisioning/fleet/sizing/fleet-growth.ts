import { isAppError, toAppError } from "../../../core/errors/app-error.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { FleetHost, SizedRole } from "../../../core/records/fleet/fleet-host.js";
import type { FleetRequests } from "../../../core/records/fleet/fleet-requests.js";
import type { Fleet } from "../fleet.js";
import type { FleetNeeds } from "../fleet-needs.js";
import { hostEvent } from "../host-event.js";
import { newDroplet } from "../droplets/new-droplet.js";

const TICK_MS = 1000;
/** What was decided so long ago is decided again. */
const STALE_MS = 60_000;
const BY = "autoscaler";

/** Does what the autoscaler asks of the hosts: one droplet more or fewer, within the limits of the settings. */
export class FleetGrowth {
  private readonly ticker: Ticker;
  private readonly outcomes = new Map<SizedRole, string>();

  constructor(
    private readonly needs: FleetNeeds,
    private readonly requests: FleetRequests,
    private readonly fleet: Pick<Fleet, "wake">,
  ) {
    const { serverLog } = needs;
    this.ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.look(),
      onError: (error) => serverLog.warn({ err: toAppError(error) }, "could not follow the autoscaler"),
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return { stop: async () => this.ticker.stop() };
  }

  /** Orders one more for a role. Returns what came of it. */
  async grow(role: SizedRole, reason: string): Promise<string> {
    return this.tellOutcome(role, reason, this.order(role, reason));
  }

  /** Takes one out. Returns what came of it. */
  async shrink(role: SizedRole, host: string, reason: string): Promise<string> {
    return this.tellOutcome(role, reason, this.takeOut(role, host, reason));
  }

  private async tellOutcome(role: SizedRole, reason: string, work: Promise<string>): Promise<string> {
    const outcome = await work.catch((error: unknown) => {
      if (isAppError(error)) return error.message;
      throw error;
    });
    // What cannot be done is wanted again and again.
    if (this.outcomes.get(role) !== outcome)
      this.needs.serverLog.info({ role, reason, outcome }, "the number of hosts");
    this.outcomes.set(role, outcome);
    return outcome;
  }

  private async look(): Promise<void> {
    for (const { role, reason, at } of await this.requests.waiting()) {
      if (this.needs.clock.now() - at < STALE_MS) await this.grow(role, reason);
      await this.requests.done(role);
    }
  }

  private async order(role: SizedRole, reason: string): Promise<string> {
    const { hosts, settings } = this.needs;
    const made = madeHosts(await hosts.list(), role);
    const { max } = settings[role];
    if (made.some(isOnItsWay)) return "one is on its way";
    if (made.length >= max) return `fleet.${role}.max is ${max}`;
    const host = await newDroplet({ role, keepFailed: false, by: BY, reason }, this.needs);
    await hosts.add(host, hostEvent("host.added", host, reason, { by: BY }));
    this.fleet.wake();
    return `${host.name} is ordered`;
  }

  private async takeOut(role: SizedRole, name: string, reason: string): Promise<string> {
    const { hosts, settings, clock } = this.needs;
    const made = madeHosts(await hosts.list(), role);
    const host = made.find((one) => one.name === name);
    if (host?.phase !== "ready") return "it is not there any more";
    const ready = made.filter(({ phase }) => phase === "ready");
    if (ready.length <= settings[role].min) return `fleet.${role}.min is ${settings[role].min}`;
    const since = new Date(clock.now()).toISOString();
    const event = hostEvent("host.leaving", host, reason, { by: BY });
    await hosts.update(
      host.name,
      (before) => (before.phase === "ready" ? { ...before, phase: "leaving", since } : before),
      event,
    );
    this.fleet.wake();
    return `${host.name} leaves`;
  }
}

/** Droplets with this role and no other. */
function madeHosts(hosts: readonly FleetHost[], role: SizedRole): FleetHost[] {
  return hosts.filter(({ roles, droplet }) => droplet !== undefined && roles.join() === role);
}

function isOnItsWay({ phase }: FleetHost): boolean {
  return phase === "creating" || phase === "configuring";
}
