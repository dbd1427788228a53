import { EventEmitter, on } from "node:events";
import { isAppError } from "../../../core/errors/app-error.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import type { InstanceState } from "../engine.js";
import type { EndCounts } from "./end-counts.js";
import { currentTask } from "./instance-state.js";
import type { LogCollector } from "./logs/log-collector.js";
import { statesIn, viewOf, type SwarmView } from "./swarm-view.js";
import type { SwarmApi, SwarmService } from "./swarm-api.js";

export interface WatchOptions {
  readonly api: SwarmApi;
  readonly owner: string;
  readonly logs: LogCollector;
  readonly counts: EndCounts;
  readonly log: Log;
}

const LOOK_MS = 1000;
/** It holds an instance on one host until it runs there. */
const ONE_HOST = /^node\.id==/;

/**
 * Looks at the Swarm once a second, as it tells nobody when a task changes: tells of instances that have moved, follows the
 * logs of all, and lifts the constraint to one host once an instance runs there, or cannot.
 */
export class SwarmWatch {
  private readonly moved = new EventEmitter();
  /** Instance → where it was seen last. */
  private readonly addresses = new Map<string, string>();
  private readonly ticker: Ticker;

  constructor(private readonly options: WatchOptions) {
    this.moved.setMaxListeners(0);
    this.ticker = new Ticker({
      everyMs: LOOK_MS,
      job: async () => this.look(await viewOf(options.api, options.owner)),
      onError: (error) => {
        if (!isAppError(error, "engine-unavailable"))
          options.log.warn({ err: error }, "could not look at the Swarm");
      },
    });
  }

  start(): void {
    this.ticker.start();
  }

  async stop(): Promise<void> {
    await this.ticker.stop();
  }

  async *moves(signal: AbortSignal): AsyncGenerator<InstanceState> {
    try {
      // What is emitted is a state.
      for await (const [state] of on(this.moved, "move", { signal })) yield state as InstanceState;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private async look(view: SwarmView): Promise<void> {
    for (const [id, { ID }] of view.services) this.options.logs.follow(id, ID);
    for (const state of statesIn(view, this.options.counts)) this.note(state);
    for (const id of this.addresses.keys()) if (!view.services.has(id)) this.addresses.delete(id);
    for (const service of view.services.values()) await this.release(service, view);
  }

  private note(state: InstanceState): void {
    const { id, address } = state;
    if (address === undefined) return;
    const before = this.addresses.get(id);
    this.addresses.set(id, address);
    if (before !== undefined && before !== address) this.moved.emit("move", state);
  }

  private async release(service: SwarmService, { tasks, nodes }: SwarmView): Promise<void> {
    const { Placement } = service.Spec.TaskTemplate;
    const constraints = Placement?.Constraints ?? [];
    if (!constraints.some((constraint) => ONE_HOST.test(constraint))) return;
    const task = currentTask(tasks.get(service.ID) ?? [], nodes);
    if (task?.Status.State !== "running" && task !== undefined && task.Status.Err === "") return;
    const wider = constraints.filter((constraint) => !ONE_HOST.test(constraint));
    await this.options.api.updateService(service, {
      ...service.Spec,
      TaskTemplate: { ...service.Spec.TaskTemplate, Placement: { ...Placement, Constraints: wider } },
    });
  }
}
