import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { BY_SLUICE, type EventType, type NewEvent } from "../../core/records/events/event-record.js";
import type { FleetHost } from "../../core/records/fleet/fleet-host.js";

/** An event about a host; without an actor Sluice did it by itself. */
export function hostEvent(
  type: Extract<EventType, `host.${string}`>,
  { name }: Pick<FleetHost, "name">,
  reason?: string,
  actor: Actor = { by: BY_SLUICE },
): NewEvent {
  return {
    ...actorOf(actor),
    app: "",
    type,
    data: { subject: name, ...(reason === undefined ? {} : { reason }) },
  };
}
