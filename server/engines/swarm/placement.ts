import { groupBy } from "../../../core/group-by.js";
import { roleLabel } from "./instance-labels.js";
import type { SwarmNode, SwarmTask } from "./swarm-api.js";

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
/** More than a host can have of siblings. */
const REFUSES = 1e12;

/**
 * The host for one more instance: of those that can take it the one with the fewest siblings, then with the fewest instances;
 * only if there is no other, one of those that could not start an instance lately (`refusing`). Undefined where no host is ready:
 * the Swarm decides when one is. Pure.
 */
export function chooseNode(
  group: string,
  role: string | undefined,
  nodes: readonly SwarmNode[],
  placed: readonly Placed[],
  refusing: ReadonlySet<string> = new Set(),
): string | undefined {
  const weight = (nodeId: string): number =>
    placed
      .filter((each) => each.nodeId === nodeId)
      .reduce((sum, each) => sum + (each.group === group ? SIBLING : 1), refusing.has(nodeId) ? REFUSES : 0);
  const fit = nodesFor(role, nodes).map(({ ID }) => ID);
  return fit.sort((a, b) => weight(a) - weight(b) || a.localeCompare(b))[0];
}

/**
 * Of each group one instance, the last one, of the host with the most of them, if there are several there and another host
 * could take one and has none. `roles`: group → role; `refusing`: as for `chooseNode`. Pure.
 */
export function crowdedInstances(
  placed: ReadonlyMap<string, Placed>,
  roles: ReadonlyMap<string, string | undefined>,
  nodes: readonly SwarmNode[],
  refusing: ReadonlySet<string> = new Set(),
): string[] {
  const groups = groupBy(placed, ([, { group }]) => group);
  return [...groups].flatMap(([group, members]) => {
    const ofNode = groupBy(members, ([, { nodeId }]) => nodeId);
    const isFree = nodesFor(roles.get(group), nodes).some(({ ID }) => !ofNode.has(ID) && !refusing.has(ID));
    const [most = []] = [...ofNode.values()].sort((a, b) => b.length - a.length);
    const last = most
      .map(([id]) => id)
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
      .at(-1);
    return isFree && most.length > 1 && last !== undefined ? [last] : [];
  });
}

/** What binds an instance to one host, or keeps it away from one. */
const OF_HOST = /^node\.id[!=]=/;

/**
 * The constraints that a service should have now. It stays bound to the host that it was given until it runs there. Hosts that
 * could not start it (`refusing`) get it again only when all others could not either. Pure.
 */
export function hostConstraints(
  constraints: readonly string[],
  { current, refusing }: { readonly current: SwarmTask | undefined; readonly refusing: ReadonlySet<string> },
  role: string | undefined,
  nodes: readonly SwarmNode[],
): string[] {
  const others = constraints.filter((constraint) => !OF_HOST.test(constraint));
  if (current?.Status.State === "running") return others;
  if (refusing.size > 0) {
    const hasOther = nodesFor(role, nodes).some(({ ID }) => !refusing.has(ID));
    return hasOther ? [...others, ...[...refusing].sort().map((id) => `node.id!=${id}`)] : others;
  }
  return current !== undefined && current.Status.Err === "" ? [...constraints] : others;
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
