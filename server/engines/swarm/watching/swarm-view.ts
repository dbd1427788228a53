import { groupBy } from "../../../../core/group-by.js";
import type { InstanceState } from "../../engine.js";
import type { EndCounts } from "./end-counts.js";
import { LABELS } from "../instance-labels.js";
import { currentTask, instanceState } from "./instance-state.js";
import type { Placed } from "../placement.js";
import type { SwarmApi, SwarmNode, SwarmService, SwarmTask } from "../swarm-api.js";

/** All that a manager knows of one Sluice's instances, at a moment. */
export interface SwarmView {
  /** By the instance's id. */
  readonly services: ReadonlyMap<string, SwarmService>;
  /** By the service's id. */
  readonly tasks: ReadonlyMap<string, readonly SwarmTask[]>;
  readonly nodes: ReadonlyMap<string, SwarmNode>;
}

export async function viewOf(api: SwarmApi, owner: string): Promise<SwarmView> {
  const label = `${LABELS.owner}=${owner}`;
  const [services, tasks, nodes] = await Promise.all([
    api.services(label),
    api.tasks({ label: [label] }),
    api.nodes(),
  ]);
  return {
    services: new Map(services.map((service) => [instanceOf(service), service])),
    tasks: groupBy(tasks, ({ ServiceID }) => ServiceID),
    nodes: new Map(nodes.map((node) => [node.ID, node])),
  };
}

export function statesIn(
  { services, tasks, nodes }: SwarmView,
  counts: EndCounts,
  nowMs: number,
): InstanceState[] {
  counts.keepOnly(new Set([...services.values()].map(({ ID }) => ID)));
  return [...services].map(([id, { ID }]) => {
    const own = tasks.get(ID) ?? [];
    return { ...instanceState(id, own, nodes, nowMs), ends: counts.endsOf(ID, own) };
  });
}

/** Where each instance is. */
export function placedIn({ services, tasks, nodes }: SwarmView): Map<string, Placed> {
  const placed = [...services].flatMap(([id, { ID }]): [string, Placed][] => {
    const task = currentTask(tasks.get(ID) ?? [], nodes);
    return task === undefined || task.NodeID === ""
      ? []
      : [[id, { group: groupOf(id), nodeId: task.NodeID }]];
  });
  return new Map(placed);
}

/** Instances of the same process of the same release. */
export function groupOf(id: string): string {
  return id.slice(0, id.lastIndexOf("."));
}

function instanceOf({ Spec }: SwarmService): string {
  return Spec.Labels[LABELS.instance] ?? Spec.Name;
}
