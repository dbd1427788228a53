import { AppError, isAppError } from "../../../core/errors/app-error.js";
import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import type { EngineHost, FleetNeeds } from "../fleet-needs.js";
import type { FleetStep } from "./fleet-step.js";

const POLL_MS = 500;
/** Stopping Sluice on a host that is to be removed is a courtesy: it may not answer. */
const ABANDON_TIMEOUT_MS = 20_000;

/**
 * Takes a host out: its instances move to others and drain, it leaves the Swarm, nobody waits for it, its access ends, and a
 * droplet is destroyed. A host that is gone is not waited for.
 */
export const leaveFleet: FleetStep = {
  name: "leaving",
  patienceMs: undefined,
  run: async (host, needs, signal) => {
    const { engine, access, reports, log } = needs;
    const { name, droplet } = host;
    const node = await nodeOf(host, needs);
    if (node !== undefined) {
      await log.add(name, { kind: "heading", text: `Draining ${name}` });
      await engine.setDraining(node.id, true);
      await waitUntilDrained(host, node.id, needs, signal);
    }
    await log.add(name, { kind: "heading", text: `Removing ${name}` });
    await abandon(host, needs, signal);
    if (node !== undefined) await removeNode(node.id, needs, signal);
    await access.take(name);
    await reports.forget(name);
    if (droplet !== undefined) await destroy(host, droplet.mark, needs, signal);
    return "gone";
  },
};

async function destroy(
  { name }: FleetHost,
  mark: string,
  { droplets, clock, log }: FleetNeeds,
  signal: AbortSignal,
): Promise<void> {
  if (droplets === undefined) throw new AppError("digitalocean-token-missing", {});
  // Only what is not listed any more costs nothing.
  for (;;) {
    const droplet = await droplets.find(mark, signal);
    if (droplet === undefined) break;
    await droplets.destroy({ id: droplet.id, mark }, signal);
    await clock.sleep(POLL_MS, signal);
  }
  await log.add(name, { kind: "task", text: "the droplet is destroyed" });
}

async function nodeOf({ node }: FleetHost, { engine }: FleetNeeds): Promise<EngineHost | undefined> {
  return node === undefined ? undefined : (await engine.list()).find(({ id }) => id === node);
}

/** A host that is down runs nothing: its instances are elsewhere, or will be. */
async function waitUntilDrained(
  { name, isGone }: FleetHost,
  node: string,
  { engine, hosts, log, clock }: FleetNeeds,
  signal: AbortSignal,
): Promise<void> {
  let told = -1;
  for (;;) {
    const found = (await engine.list()).find(({ id }) => id === node);
    const left = found?.instances.length ?? 0;
    if (found === undefined || left === 0) return;
    const now = await hosts.find(name);
    if (found.state === "down" && (isGone || now?.isGone === true)) return;
    if (left !== told) await log.add(name, { kind: "task", text: `${left} instances are left` });
    told = left;
    await clock.sleep(POLL_MS, signal);
  }
}

async function abandon(host: FleetHost, { setup, log }: FleetNeeds, signal: AbortSignal): Promise<void> {
  if (host.address === undefined) return;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ABANDON_TIMEOUT_MS)]);
  await setup.abandon(host, limit).catch(async (error: unknown) => {
    if (signal.aborted) throw error;
    const reason = isAppError(error) ? error.message : String(error);
    await log.add(host.name, { kind: "problem", text: `Sluice could not be stopped there: ${reason}` });
  });
}

/** A host that has just left counts as alive for some seconds. */
async function removeNode(id: string, { engine, clock }: FleetNeeds, signal: AbortSignal): Promise<void> {
  for (;;) {
    const found = (await engine.list()).find((node) => node.id === id);
    if (found === undefined) return;
    if (found.state === "down") return engine.remove(id);
    await clock.sleep(POLL_MS, signal);
  }
}
