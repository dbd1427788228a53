import { roleLabel } from "./instance-labels.js";
import type { SwarmNode } from "./swarm-api.js";

/** Where an instance is, as far as it matters for those that come. */
export interface Placed {
  /** `APP.vN.PROCESS`: siblings have the same. */
  readonly group: string;
  readonly nodeId: string;
}

/** By these a Swarm keeps an instance on hosts of its role; none where no host has a role at all. */
export function roleConstraints(role: string | undefined, nodes: readonly SwarmNode[]): string[] {
  if (role === undefined || !nodes.some((node) => hasRole(node, role))) return [];
  return [`node.labels.${roleLabel(role)}==true`];
}

/**
 * The host for one more instance: of those that can take it the one with the fewest siblings, then with the fewest instances.
 * Undefined where no host is ready: the Swarm decides when one is. Pure.
 */
export function chooseNode(
  group: string,
  role: string | undefined,
  nodes: readonly SwarmNode[],
  placed: readonly Placed[],
): string | undefined {
  const ready = nodes.filter(
    ({ Status, Spec }) => Status.State === "ready" && Spec.Availability === "active",
  );
  const ofRole = role === undefined ? ready : ready.filter((node) => hasRole(node, role));
  const fit = ofRole.length === 0 && roleConstraints(role, nodes).length === 0 ? ready : ofRole;
  const weight = (nodeId: string): number =>
    placed
      .filter((each) => each.nodeId === nodeId)
      .reduce((sum, each) => sum + (each.group === group ? SIBLING : 1), 0);
  return fit.map(({ ID }) => ID).sort((a, b) => weight(a) - weight(b) || a.localeCompare(b))[0];
}

/** More than a host can have of others. */
const SIBLING = 1e6;

function hasRole({ Spec }: SwarmNode, role: string): boolean {
  return Spec.Labels[roleLabel(role)] === "true";
}
