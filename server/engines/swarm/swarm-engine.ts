import type { Clock } from "../../../core/clock.js";
import type { Log } from "../../../core/log.js";
import { AppError } from "../../../core/errors/app-error.js";
import { parseAddress } from "../../../core/instances/address.js";
import type { Engine, InstanceSpec, InstanceState } from "../engine.js";
import { acceptsConnections } from "./accepts-connections.js";
import { EndCounts } from "./watching/end-counts.js";
import { startScript } from "./starting/entry-script.js";
import { hashOf, LABELS, serviceName } from "./instance-labels.js";
import { instanceState } from "./watching/instance-state.js";
import { isOver } from "./watching/is-over.js";
import type { LogCollector } from "./logs/log-collector.js";
import { chooseNode, crowdedInstances, roleConstraints, type Placed } from "./placement.js";
import { refusingNodes } from "./watching/refusals.js";
import { serviceSpec } from "./starting/service-spec.js";
import type { RegistryLogin, SwarmApi } from "./swarm-api.js";
import { groupOf, placedIn, statesIn, viewOf, type SwarmView } from "./watching/swarm-view.js";
import { SwarmWatch } from "./watching/swarm-watch.js";

export interface SwarmOptions {
  readonly api: SwarmApi;
  /** Of this Sluice, among those that use the Swarm; the same after a restart. */
  readonly owner: string;
  readonly logs: LogCollector;
  /** For the hosts; undefined: the registry asks for none. */
  readonly login: RegistryLogin | undefined;
  /** Between TERM and KILL. A Swarm wants to know that when an instance is made. */
  readonly stopSeconds: number;
  readonly clock: Clock;
  readonly log: Log;
}

const POLL_MS = 50;
/** After its grace, until it is reported that an instance has ended. */
const SILENT_STOP_MS = 10_000;

/**
 * Instances as services of a Swarm with one task each: the Swarm keeps each running on some host, Sluice decides how many
 * there are and which one goes. `stop` gives the grace that the engine was made with.
 */
export class SwarmEngine implements Engine {
  private readonly counts = new EndCounts();
  private readonly watch: SwarmWatch;
  /** Those that were given a host, and are not seen there yet. */
  private readonly coming = new Map<string, Placed>();

  private constructor(private readonly options: SwarmOptions) {
    this.watch = new SwarmWatch({ ...options, counts: this.counts });
  }

  /** Finds what an earlier server left running. */
  static async open(options: SwarmOptions): Promise<SwarmEngine> {
    const engine = new SwarmEngine(options);
    await engine.sweep();
    engine.watch.start();
    return engine;
  }

  /** Stops looking; the instances go on. */
  async close(): Promise<void> {
    await this.watch.stop();
    await this.options.logs.stop();
  }

  async start(spec: InstanceSpec): Promise<void> {
    const { api, owner, logs } = this.options;
    const name = serviceName(owner, spec.id);
    if ((await api.service(name)) === undefined) await this.make(spec, name);
    const made = await api.service(name);
    if (made !== undefined) logs.follow(spec.id, made.ID);
  }

  async stop(id: string): Promise<void> {
    const { api, owner, logs } = this.options;
    await api.removeService(serviceName(owner, id));
    await this.untilEnded(id);
    await logs.end(id);
    await this.removeSecrets(id);
    this.coming.delete(id);
  }

  async list(): Promise<InstanceState[]> {
    const { api, owner, clock } = this.options;
    return statesIn(await viewOf(api, owner), this.counts, clock.now());
  }

  async state(id: string): Promise<InstanceState | undefined> {
    const { api, owner, clock } = this.options;
    const [service, tasks, nodes] = await Promise.all([
      api.service(serviceName(owner, id)),
      api.tasks({ label: [`${LABELS.owner}=${owner}`, `${LABELS.instance}=${id}`] }),
      api.nodes(),
    ]);
    if (service === undefined) return undefined;
    const own = tasks.filter(({ ServiceID }) => ServiceID === service.ID);
    const state = instanceState(id, own, new Map(nodes.map((node) => [node.ID, node])), clock.now());
    return { ...state, ends: this.counts.endsOf(service.ID, own) };
  }

  /** Only its own port can be known from outside. */
  async listening(id: string): Promise<string[]> {
    const address = (await this.state(id))?.address;
    return address !== undefined && (await acceptsConnections(parseAddress(address))) ? [address] : [];
  }

  async crowded(): Promise<string[]> {
    const view = await viewOf(this.options.api, this.options.owner);
    const roles = new Map(
      [...view.services].map(([id, { Spec }]) => [groupOf(id), Spec.Labels[LABELS.role]]),
    );
    return crowdedInstances(placedIn(view), roles, [...view.nodes.values()], this.refusingIn(view));
  }

  moves(signal: AbortSignal): AsyncIterable<InstanceState> {
    return this.watch.moves(signal);
  }

  private async make(spec: InstanceSpec, name: string): Promise<void> {
    const { api, owner, stopSeconds, login } = this.options;
    const { artifact } = spec;
    if (artifact.kind === "tree") throw new Error(`${spec.id} has no image`);
    const script = startScript(spec);
    const secretName = `${name}-${hashOf(script)}`;
    const labels = { [LABELS.owner]: owner, [LABELS.instance]: spec.id };
    await api.createSecret(secretName, labels, script);
    const secret = (await this.secretsOf(spec.id)).find(({ Spec }) => Spec.Name === secretName);
    if (secret === undefined) throw new AppError("engine-unavailable", { reason: "a secret has vanished" });
    const constraints = await this.place(spec);
    const service = serviceSpec(spec, {
      ...{ name, owner, image: artifact.reference, constraints, stopSeconds },
      secret: { id: secret.ID, name: secretName },
    });
    try {
      await api.createService(service, loginFor(artifact.reference, login));
    } catch (error) {
      this.coming.delete(spec.id);
      throw error;
    }
  }

  /**
   * As long as a task is listed its container may run. A lost host ends its ones when it is back. One that is ready may say nothing
   * either: on a full disk it cannot write down what it has done. It ends them when it has room.
   */
  private async untilEnded(id: string): Promise<void> {
    const { api, owner, clock, log, stopSeconds } = this.options;
    const ofInstance = [`${LABELS.owner}=${owner}`, `${LABELS.instance}=${id}`];
    const giveUpAt = clock.now() + stopSeconds * 1000 + SILENT_STOP_MS;
    for (;;) {
      const [tasks, nodes] = await Promise.all([api.tasks({ label: ofInstance }), api.nodes()]);
      const lost = new Set(nodes.filter(({ Status }) => Status.State === "down").map(({ ID }) => ID));
      if (tasks.every(({ NodeID, Status }) => isOver(Status.State) || lost.has(NodeID))) return;
      if (clock.now() >= giveUpAt) break;
      await clock.sleep(POLL_MS);
    }
    log.warn({ instance: id }, "a host did not confirm that an instance has ended");
  }

  /** Chosen here and not by the Swarm, which knows nothing of siblings: they are services of their own. */
  private async place({ id, role }: InstanceSpec): Promise<string[]> {
    const view = await viewOf(this.options.api, this.options.owner);
    const placed = placedIn(view);
    for (const [other, place] of this.coming)
      if (placed.has(other)) this.coming.delete(other);
      else placed.set(other, place);
    const nodes = [...view.nodes.values()];
    const nodeId = chooseNode(groupOf(id), role, nodes, [...placed.values()], this.refusingIn(view));
    if (nodeId === undefined) return roleConstraints(role, nodes);
    this.coming.set(id, { group: groupOf(id), nodeId });
    return [`node.id==${nodeId}`, ...roleConstraints(role, nodes)];
  }

  private refusingIn({ tasks }: SwarmView): Set<string> {
    return refusingNodes([...tasks.values()].flat(), this.options.clock.now());
  }

  private async secretsOf(id: string): ReturnType<SwarmApi["secrets"]> {
    const ours = await this.options.api.secrets(`${LABELS.instance}=${id}`);
    return ours.filter(({ Spec }) => Spec.Labels[LABELS.owner] === this.options.owner);
  }

  private async removeSecrets(id: string): Promise<void> {
    for (const { ID } of await this.secretsOf(id)) await this.options.api.removeSecret(ID);
  }

  /** Secrets of starts and stops that were cut short. */
  private async sweep(): Promise<void> {
    const { api, owner } = this.options;
    const { services } = await viewOf(api, owner);
    for (const { ID, Spec } of await api.secrets(`${LABELS.owner}=${owner}`))
      if (!services.has(Spec.Labels[LABELS.instance] ?? "")) await api.removeSecret(ID);
  }
}

/** No other registry gets it: that of earlier settings, say, when nobody could copy the image. */
function loginFor(image: string, login: RegistryLogin | undefined): RegistryLogin | undefined {
  return login !== undefined && image.startsWith(`${login.serveraddress}/`) ? login : undefined;
}
