import { isAppError } from "../../../core/errors/app-error.js";
import type { FleetHost } from "../../../core/records/fleet/fleet-host.js";
import { newDroplet } from "../droplets/new-droplet.js";
import type { FleetNeeds } from "../fleet-needs.js";
import { hostEvent } from "../host-event.js";

/** By which the droplet that replaces a lost one is found. */
export function replacementReason({ name, droplet }: FleetHost): string {
  return `${name} (${droplet?.mark ?? ""}) was lost`;
}

/** Orders a droplet with the roles of a lost one. False when it cannot be ordered; why is in the log. */
export async function orderReplacement(host: FleetHost, needs: FleetNeeds): Promise<boolean> {
  const { hosts, serverLog } = needs;
  const [role = "production"] = host.roles;
  const reason = replacementReason(host);
  try {
    const wish = { role, keepFailed: false, by: "sluice", reason, replaces: host.name };
    const next = { ...(await newDroplet(wish, needs)), roles: host.roles };
    await hosts.add(next, hostEvent("host.added", next, reason));
    return true;
  } catch (error) {
    if (!isAppError(error)) throw error;
    serverLog.warn({ err: error, host: host.name }, "a lost host is not replaced");
    return false;
  }
}

/** It leaves as one that is gone for good. */
export async function removeLost({ name }: FleetHost, { hosts, clock }: FleetNeeds): Promise<void> {
  const since = new Date(clock.now()).toISOString();
  await hosts.update(
    name,
    (before) => (before.phase === "ready" ? { ...before, phase: "leaving", isGone: true, since } : before),
    hostEvent("host.leaving", { name }, "it was lost"),
  );
}
