import { isAppError, toAppError } from "../../core/errors/app-error.js";
import { PerKey, type Job } from "../../core/loop/per-key.js";
import { Ticker } from "../../core/loop/ticker.js";
import type { FleetHost, FleetPhase } from "../../core/records/fleet/fleet-host.js";
import { configureHost } from "./steps/configure-host.js";
import { createDroplet } from "./steps/create-droplet.js";
import { HostOvertaken, type FleetStep } from "./steps/fleet-step.js";
import { leaveFleet } from "./steps/leave-fleet.js";
import { prepareSnapshot } from "./steps/prepare-snapshot.js";
import { saveSnapshot } from "./steps/save-snapshot.js";
import { hostEvent } from "./host-event.js";
import type { FleetNeeds } from "./fleet-needs.js";
import { addressesOf, knowsPeers, peersOf, replicasAmong, type Peers } from "./peers.js";

const TICK_MS = 1000;
const BACK_OFF = { firstMs: 2000, longestMs: 30_000 };

/** What is to be done in each phase. In the others there is nothing to do. */
const STEPS: Readonly<Partial<Record<FleetPhase, FleetStep>>> = {
  creating: createDroplet,
  configuring: configureHost,
  leaving: leaveFleet,
};
const SNAPSHOT_STEPS: typeof STEPS = { ...STEPS, configuring: prepareSnapshot, saving: saveSnapshot };

/**
 * Brings each host to the phase after its own, hosts side by side. What is done is saved step by step, so that a server which
 * is killed leaves nothing that the next one does not find and complete.
 */
export class Fleet {
  private readonly works: PerKey;
  /** Host → the phase in which something was begun for it last. */
  private readonly begun = new Map<string, FleetPhase>();
  private readonly ticker: Ticker;

  constructor(private readonly needs: FleetNeeds) {
    const warn = (error: unknown, host?: string): void =>
      needs.serverLog.warn({ err: toAppError(error), host }, "could not look after a host");
    this.works = new PerKey({ onError: warn, backOff: BACK_OFF, clock: needs.clock });
    this.ticker = new Ticker({
      ...{ everyMs: TICK_MS, clock: needs.clock, onError: warn },
      job: async () => this.look(),
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return {
      stop: async () => {
        await this.ticker.stop();
        await this.works.stop();
      },
    };
  }

  /** There is something to do. */
  wake(): void {
    this.ticker.wake();
  }

  private async look(): Promise<void> {
    const all = await this.needs.hosts.list();
    await this.needs.access.noteReplicas(replicasAmong(all));
    for (const host of all) {
      const { name, phase, snapshot } = host;
      const step = (snapshot === undefined ? STEPS : SNAPSHOT_STEPS)[phase];
      if (step !== undefined) this.begin(name, phase, step);
      else if (phase === "ready") this.introduce(host, peersOf(host, all, this.needs.settings));
    }
  }

  /**
   * A host that is to leave does not wait for the end of what it was to be before. All else does: what was begun on a host goes on
   * there when the connection ends, and two that configure it would be in each other's way.
   */
  private begin(name: string, phase: FleetPhase, step: FleetStep): void {
    const job: Job = async (signal) => {
      this.begun.set(name, phase);
      await this.advance(name, phase, step, signal);
    };
    const isOther = this.begun.get(name) !== phase;
    if (phase === "leaving" && isOther) this.works.runInstead(name, job);
    else this.works.runIfIdle(name, job);
  }

  /** A host lets in those that came since, and no others any more. */
  private introduce(host: FleetHost, peers: Peers): void {
    if (knowsPeers(host, peers)) return;
    const { hosts, setup } = this.needs;
    this.works.runIfIdle(host.name, async (signal) => {
      this.begun.set(host.name, host.phase);
      await setup.configure(host, { mode: "apply", peers, signal });
      await hosts.update(host.name, (before) => ({
        ...before,
        ...{ peers: [...peers.hosts], proxies: [...peers.proxies], replicas: addressesOf(peers) },
      }));
      this.wake();
    });
  }

  private async advance(
    name: string,
    phase: FleetPhase,
    step: FleetStep,
    signal: AbortSignal,
  ): Promise<void> {
    const { hosts, serverLog } = this.needs;
    const host = await hosts.find(name);
    if (host?.phase !== phase) return;
    try {
      await this.save(host, await step.run(host, this.needs, signal));
      this.wake();
    } catch (error) {
      if (signal.aborted || error instanceof HostOvertaken) return;
      serverLog.warn(
        { err: toAppError(error), host: name, step: step.name },
        "a host is not as it should be",
      );
      await this.noteFailure(host, step, error);
      throw error;
    }
  }

  private async save(host: FleetHost, after: FleetHost | "gone"): Promise<void> {
    const { hosts, log, clock } = this.needs;
    if (after === "gone") {
      await log.add(host.name, { kind: "heading", text: `${host.name} is removed` });
      await hosts.remove(host.name, hostEvent("host.removed", host));
      this.begun.delete(host.name);
      return;
    }
    const since = new Date(clock.now()).toISOString();
    const isReady = after.phase === "ready";
    await hosts.update(
      host.name,
      (before) => (before.phase === host.phase ? { ...after, since } : before),
      isReady ? hostEvent("host.ready", host) : undefined,
    );
  }

  /** What may pass is tried again for a while; then, and with anything else, the host has failed. */
  private async noteFailure(host: FleetHost, step: FleetStep, error: unknown): Promise<void> {
    const { hosts, log, clock } = this.needs;
    const { message, hint, retriable } = toAppError(error);
    const now = clock.now();
    const isPatient = step.patienceMs === undefined || now - Date.parse(host.since) < step.patienceMs;
    const mayPass = retriable || !isAppError(error);
    const isFinal = !(isPatient && mayPass) && host.phase !== "leaving";
    const failure = { step: step.name, message, hint, at: new Date(now).toISOString() };
    if (host.failure?.message !== message || isFinal) {
      await log.add(host.name, { kind: "problem", text: message });
      await log.add(host.name, { kind: "problem", text: isFinal ? hint : "It is tried again." });
    }
    const isKept =
      host.droplet === undefined || host.keepFailed || isAppError(error, "digitalocean-token-missing");
    const failed = {
      failure,
      since: failure.at,
      phase: isKept ? "failed" : "leaving",
      isGone: !isKept,
    } as const;
    await hosts.update(
      host.name,
      (before) => (before.phase === host.phase ? { ...before, ...(isFinal ? failed : { failure }) } : before),
      isFinal ? hostEvent("host.failed", host, `${message} ${hint}`) : undefined,
    );
  }
}
