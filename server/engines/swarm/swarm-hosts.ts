import { AppError } from "../../../core/errors/app-error.js";
import { groupBy } from "../../../core/group-by.js";
import type { EngineHost, EngineHosts } from "../engine-hosts.js";
import { LABELS, roleLabel } from "./instance-labels.js";
import { INSTANCE_ROLES, isDraining, withDraining, withRoles } from "./node-spec.js";
import type { SwarmApi, SwarmNode, SwarmTask } from "./swarm-api.js";
import { nodeAddress } from "./watching/instance-state.js";
import { isOver } from "./watching/is-over.js";

export interface SwarmHostsOptions {
  readonly api: Pick<SwarmApi, "info" | "nodes" | "tasks" | "workerToken" | "changeNode" | "removeNode">;
  /** The mark of this Sluice. Instances of others in the same Swarm are left out. */
  readonly owner: string;
}

/** The nodes of a Swarm. A drain is a label of the node, so that every server finds it. */
export class SwarmHosts implements EngineHosts {
  constructor(private readonly options: SwarmHostsOptions) {}

  async list(): Promise<EngineHost[]> {
    const { api, owner } = this.options;
    const [nodes, tasks, info] = await Promise.all([
      api.nodes(),
      api.tasks({ label: [`${LABELS.owner}=${owner}`] }),
      api.info(),
    ]);
    return hostsOf(nodes, tasks, info.Swarm.NodeID);
  }

  async joinToken(): Promise<{ token: string; manager: string }> {
    const { api } = this.options;
    const [token, nodes, { Swarm }] = await Promise.all([api.workerToken(), api.nodes(), api.info()]);
    const manager = nodes.find(({ ID }) => ID === Swarm.NodeID)?.ManagerStatus?.Addr;
    if (manager === undefined)
      throw new AppError("engine-unavailable", { reason: "the Swarm does not know its manager's address" });
    return { token, manager };
  }

  async labelRoles(id: string, roles: readonly string[]): Promise<void> {
    if (!(await this.options.api.changeNode(id, (spec) => withRoles(spec, roles))))
      throw await this.unknown(id);
  }

  async setDraining(id: string, draining: boolean): Promise<void> {
    if (!(await this.options.api.changeNode(id, (spec) => withDraining(spec, draining))))
      throw await this.unknown(id);
  }

  async remove(id: string): Promise<void> {
    const { api } = this.options;
    const [hosts, nodes] = await Promise.all([this.list(), api.nodes()]);
    const host = hosts.find((each) => each.id === id);
    if (host === undefined) return;
    const manages = nodes.some(({ ID, ManagerStatus }) => ID === id && ManagerStatus != null);
    const isDown = host.state === "down";
    const runs = isDown ? 0 : host.instances.length;
    if (manages || runs > 0) throw new AppError("host-in-use", { host: host.name, manages, instances: runs });
    await api.removeNode(id, !isDown);
  }

  private async unknown(id: string): Promise<AppError> {
    const known = (await this.options.api.nodes()).map(({ Description }) => Description.Hostname);
    return new AppError("host-unknown", { host: id, known });
  }
}

/** What a manager tells of its nodes and of the tasks of one Sluice → its hosts, by name. `self`: the node that was asked. Pure. */
export function hostsOf(
  nodes: readonly SwarmNode[],
  tasks: readonly SwarmTask[],
  self: string,
): EngineHost[] {
  const left = groupBy(
    tasks.filter(({ Status }) => !isOver(Status.State)),
    ({ NodeID }) => NodeID,
  );
  return nodes
    .map((node): EngineHost => {
      const { ID, Spec, Status, Description } = node;
      const state = stateOf(Status.State);
      return {
        ...{ id: ID, name: Description.Hostname, address: nodeAddress(node), isServer: ID === self, state },
        roles: INSTANCE_ROLES.filter((role) => Spec.Labels[roleLabel(role)] === "true"),
        takesInstances: state === "ready" && Spec.Availability === "active",
        draining: isDraining(Spec),
        instances: [...new Set((left.get(ID) ?? []).flatMap(instanceOf))].sort(),
      };
    })
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

function stateOf(state: string): EngineHost["state"] {
  return state === "ready" || state === "down" ? state : "unknown";
}

function instanceOf({ Spec }: SwarmTask): string[] {
  const id = Spec?.ContainerSpec?.Labels[LABELS.instance];
  return id === undefined ? [] : [id];
}
