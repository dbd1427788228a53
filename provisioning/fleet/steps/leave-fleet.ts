import { AppError, isAppError } from "../../../core/errors/app-error.js";
import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import type { EngineHost, FleetNeeds } from "../fleet-needs.js";
import type { FleetStep } from "./fleet-step.js";

const POLL_MS = 500;
const ADDRESS_TIMEOUT_MS = 60_000;
/** An order whose answer is not known may be listed so much later. */
const LATE_ORDER_MS = 30_000;
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
    await waitUntilAddressIsElsewhere(host, needs, signal);
    await log.add(name, { kind: "heading", text: `Removing ${name}` });
    await abandon(host, needs, signal);
    if (node !== undefined) await removeNode(node.id, needs, signal);
    await access.take(name);
    await reports.forget(name);
    if (droplet !== undefined) await destroy(name, droplet, needs, signal);
    return "gone";
  },
};

async function destroy(
  name: string,
  { mark, id, sealedHostKey }: NonNullable<FleetHost["droplet"]>,
  { droplets, clock, log }: FleetNeeds,
  signal: AbortSignal,
): Promise<void> {
  if (droplets === undefined) throw new AppError("digitalocean-token-missing", {});
  const mayBeOnItsWay = id === undefined && sealedHostKey !== undefined;
  let until = clock.now() + (mayBeOnItsWay ? LATE_ORDER_MS : 0);
  // Only what is not listed any more costs nothing.
  for (;;) {
    const droplet = await droplets.find(mark, signal);
    if (droplet === undefined && clock.now() >= until) break;
    if (droplet !== undefined) {
      await droplets.destroy({ id: droplet.id, mark }, signal);
      until = clock.now();
    }
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

/** New visitors must not be led to a proxy that ends. */
async function waitUntilAddressIsElsewhere(
  { name }: FleetHost,
  { hosts, log, clock }: FleetNeeds,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.now() + ADDRESS_TIMEOUT_MS;
  for (let looks = 0; ; looks++) {
    const all = await hosts.list();
    const hasIt = all.find((host) => host.name === name)?.hasReservedAddress === true;
    const others = all.filter(({ roles, phase }) => roles.includes("proxy") && phase === "ready");
    if (!hasIt || others.length === 0) return;
    if (looks === 0) await log.add(name, { kind: "task", text: "another proxy gets the reserved IP" });
    if (clock.now() > deadline) {
      await log.add(name, { kind: "problem", text: "No other proxy has got the reserved IP." });
      return;
    }
    await clock.sleep(POLL_MS, signal);
  }
}

async function abandon(host: FleetHost, { setup, log }: FleetNeeds, signal: AbortSignal): Promise<void> {
  // Nothing of Sluice runs on a droplet that becomes a snapshot.
  if (host.address === undefined || host.snapshot !== undefined) return;
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
