import { LABELS, roleLabel } from "./instance-labels.js";
import type { NodeSpec, SwarmNode } from "./swarm-api.js";

export const INSTANCE_ROLES = ["production", "staging"] as const;

/**
 * The node of the server with what its settings say about instances there; a drain goes on. `drain`, by which Docker itself would
 * stop what runs, is for a node that is to have no instances at all. Pure.
 */
export function withAvailability(spec: NodeSpec, runsInstances: boolean): NodeSpec {
  const availability = isDraining(spec) ? "pause" : "active";
  return { ...spec, Availability: runsInstances ? availability : "drain" };
}

/** The node at the beginning or the end of a drain: paused, it keeps what it runs and gets nothing more. Pure. */
export function withDraining(spec: NodeSpec, draining: boolean): NodeSpec {
  const others = Object.entries(spec.Labels).filter(([name]) => name !== LABELS.draining);
  const Labels = Object.fromEntries(draining ? [...others, [LABELS.draining, "true"]] : others);
  if (draining)
    return { ...spec, Labels, Availability: spec.Availability === "active" ? "pause" : spec.Availability };
  const wasPausedForIt = isDraining(spec) && spec.Availability === "pause";
  return { ...spec, Labels, Availability: wasPausedForIt ? "active" : spec.Availability };
}

/** The node with the labels of these roles. Pure. */
export function withRoles(spec: NodeSpec, roles: readonly string[]): NodeSpec {
  const labels = new Map(Object.entries(spec.Labels));
  for (const role of INSTANCE_ROLES)
    if (roles.includes(role)) labels.set(roleLabel(role), "true");
    else labels.delete(roleLabel(role));
  return { ...spec, Labels: Object.fromEntries(labels) };
}

export function isDraining({ Labels }: Pick<SwarmNode["Spec"], "Labels">): boolean {
  return Labels[LABELS.draining] === "true";
}
