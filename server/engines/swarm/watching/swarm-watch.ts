import { EventEmitter, on } from "node:events";
import type { Clock } from "../../../../core/clock.js";
import { isAppError } from "../../../../core/errors/app-error.js";
import type { Log } from "../../../../core/log.js";
import { Ticker } from "../../../../core/loop/ticker.js";
import type { InstanceState } from "../../engine.js";
import type { EndCounts } from "./end-counts.js";
import { LABELS } from "../instance-labels.js";
import { currentTask } from "./instance-state.js";
import type { LogCollector } from "../logs/log-collector.js";
import { hostConstraints } from "../placement.js";
import { describeRefusals, refusalsOf } from "./refusals.js";
import { statesIn, viewOf, type SwarmView } from "./swarm-view.js";
import type { SwarmApi, SwarmService } from "../swarm-api.js";

export interface WatchOptions {
  readonly api: SwarmApi;
  readonly owner: string;
  readonly logs: LogCollector;
  readonly counts: EndCounts;
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_MS = 1000;

/**
 * Looks at the Swarm once a second, as it tells nobody when a task changes: tells of instances that have moved, follows the
 * logs of all, lifts the constraint to one host once an instance runs there, and keeps it away from hosts that cannot start it.
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
    for (const state of statesIn(view, this.options.counts, this.options.clock.now())) this.note(state);
    for (const id of this.addresses.keys()) if (!view.services.has(id)) this.addresses.delete(id);
    for (const service of view.services.values()) await this.constrain(service, view);
  }

  private note(state: InstanceState): void {
    const { id, address } = state;
    if (address === undefined) return;
    const before = this.addresses.get(id);
    this.addresses.set(id, address);
    if (before !== undefined && before !== address) this.moved.emit("move", state);
  }

  private async constrain(service: SwarmService, { tasks, nodes }: SwarmView): Promise<void> {
    const { Labels, TaskTemplate } = service.Spec;
    const now = TaskTemplate.Placement?.Constraints ?? [];
    const own = tasks.get(service.ID) ?? [];
    const refusals = refusalsOf(own, this.options.clock.now());
    const known = { current: currentTask(own, nodes), refusing: new Set(refusals.keys()) };
    const next = hostConstraints(now, known, Labels[LABELS.role], [...nodes.values()]);
    if (JSON.stringify(next) === JSON.stringify(now)) return;
    if (refusals.size > 0 && known.current?.Status.State !== "running") {
      const fields = { instance: Labels[LABELS.instance], refusals: describeRefusals(refusals, nodes) };
      this.options.log.warn(fields, "hosts could not start an instance");
    }
    await this.options.api.updateService(service, {
      ...service.Spec,
      TaskTemplate: { ...TaskTemplate, Placement: { ...TaskTemplate.Placement, Constraints: next } },
    });
  }
}
