import { toAppError } from "../../core/errors/app-error.js";
import { parseInstanceId, type InstanceIdentity } from "../../core/instances/instance-id.js";
import { Ticker } from "../../core/loop/ticker.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import { unlessUnavailable } from "../engines/unless-unavailable.js";
import { bringUp } from "../pipeline/bring-up/bring-up.js";
import { Output } from "../pipeline/output.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { ReleaseWork } from "../pipeline/step.js";
import { switchOver } from "../pipeline/switch-over.js";
import { withInstances } from "../routes/route-changes.js";
import type { ReconcileNeeds } from "./needs.js";

const TICK_MS = 5000;
/** A host that has just come back may go again. */
const LEAST_LOOKS = 3;

/**
 * Spreads instances again over the hosts, after one has come back: one instance at a time gets no more visitors, drains, is
 * stopped, and starts where there is room. What is cut short by a crash is completed by the next server (`recover`).
 */
export class Spreading {
  private readonly ticker: Ticker;
  private readonly stopping = new AbortController();
  /** Instance → in how many looks it was crowded, the last one included. */
  private looks = new Map<string, number>();
  /** It is out of its release, or may be, until it runs elsewhere. */
  private moving: string | undefined;

  constructor(
    private readonly tools: ReconcileNeeds,
    private readonly pipeline: Pipeline,
  ) {
    this.ticker = new Ticker({
      everyMs: TICK_MS,
      job: async () => this.look(),
      onError: (error) => tools.log.warn({ err: toAppError(error) }, "could not spread instances"),
    });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return {
      stop: async () => {
        this.stopping.abort(new Error("the server stops"));
        await this.ticker.stop();
      },
    };
  }

  private async look(): Promise<void> {
    const { engine, leaving } = this.tools;
    if (this.moving !== undefined) {
      if (leaving.isLeaving(this.moving)) return;
      // What fails is tried again at the next look.
      await this.complete(this.moving);
      this.moving = undefined;
      return;
    }
    const crowded = (await unlessUnavailable(engine.crowded())) ?? [];
    this.looks = new Map(crowded.map((id) => [id, (this.looks.get(id) ?? 0) + 1]));
    const due = crowded.filter((id) => (this.looks.get(id) ?? 0) >= LEAST_LOOKS);
    // Those of a release on standby stay: it has no visitors.
    for (const id of due) if (await this.takeOut(id)) return;
  }

  /** The others of its process serve meanwhile. */
  private async takeOut(id: string): Promise<boolean> {
    return this.inTurn(id, async (work, signal) => {
      const { record, tools } = work;
      const next = { ...record, instances: record.instances.filter((instance) => instance.id !== id) };
      const change = (table: RouteTable): RouteTable => withInstances(table, next);
      // Before it is written: an answer that is lost may have been a yes, and then it is completed all the same.
      this.moving = id;
      const goneSince = await switchOver(work, { record: next, change }, signal);
      tools.log.info({ instance: id }, "moving an instance to a host that has none of its kind");
      tools.leaving.begin(id, { goneSince, drainSeconds: record.serving.drainSeconds });
    });
  }

  private async complete(id: string): Promise<void> {
    await this.inTurn(id, async (work, signal) => {
      const { record } = work;
      const instances = await bringUp(work, { present: record.instances, check: "fresh", signal });
      const next = { ...work.record, instances };
      await switchOver(work, { record: next, change: (table) => withInstances(table, next) }, signal);
    });
  }

  /** While nothing else happens to its app. Answers false, and does nothing, if its release does not serve. */
  private async inTurn(
    id: string,
    act: (work: ReleaseWork, signal: AbortSignal) => Promise<void>,
  ): Promise<boolean> {
    const one = parseInstanceId(id);
    if (one === undefined) return false;
    const place = { app: one.app, what: `the move of ${id}`, signal: this.stopping.signal };
    return this.pipeline.exclusively(place, async (signal) => {
      const work = await this.workOf(one);
      if (work !== undefined) await act(work, signal);
      return work !== undefined;
    });
  }

  private async workOf({ app, release }: InstanceIdentity): Promise<ReleaseWork | undefined> {
    const [record, table] = await Promise.all([
      this.tools.releases.find(app, release),
      this.tools.routes.read(app),
    ]);
    const serves = Object.values(table.tracks).includes(release);
    const isAwake = table.releases.some(({ number, asleep }) => number === release && !asleep);
    if (record === undefined || !serves || !isAwake) return undefined;
    return this.pipeline.lockedWork(record, new Output(), { quarantine: {}, skipGates: false });
  }
}
