import { groupBy } from "../../../core/group-by.js";
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

/** More than a host can have of others. */
const SIBLING = 1e6;

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
  const weight = (nodeId: string): number =>
    placed
      .filter((each) => each.nodeId === nodeId)
      .reduce((sum, each) => sum + (each.group === group ? SIBLING : 1), 0);
  const fit = nodesFor(role, nodes).map(({ ID }) => ID);
  return fit.sort((a, b) => weight(a) - weight(b) || a.localeCompare(b))[0];
}

/**
 * Of each group one instance, the last one, of the host with the most of them, if there are several there and another host
 * could take one and has none. `roles`: group → role. Pure.
 */
export function crowdedInstances(
  placed: ReadonlyMap<string, Placed>,
  roles: ReadonlyMap<string, string | undefined>,
  nodes: readonly SwarmNode[],
): string[] {
  const groups = groupBy(placed, ([, { group }]) => group);
  return [...groups].flatMap(([group, members]) => {
    const ofNode = groupBy(members, ([, { nodeId }]) => nodeId);
    const isFree = nodesFor(roles.get(group), nodes).some(({ ID }) => !ofNode.has(ID));
    const [most = []] = [...ofNode.values()].sort((a, b) => b.length - a.length);
    const last = most
      .map(([id]) => id)
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
      .at(-1);
    return isFree && most.length > 1 && last !== undefined ? [last] : [];
  });
}

/** Those that can take an instance of that role now. */
function nodesFor(role: string | undefined, nodes: readonly SwarmNode[]): SwarmNode[] {
  const ready = nodes.filter(
    ({ Status, Spec }) => Status.State === "ready" && Spec.Availability === "active",
  );
  return roleConstraints(role, nodes).length === 0
    ? ready
    : ready.filter((node) => hasRole(node, role ?? ""));
}

function hasRole({ Spec }: SwarmNode, role: string): boolean {
  return Spec.Labels[roleLabel(role)] === "true";
}
