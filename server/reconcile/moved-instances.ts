import { isAppError, toAppError } from "../../core/errors/app-error.js";
import { parseInstanceId, type InstanceIdentity } from "../../core/instances/instance-id.js";
import { PerKey } from "../../core/loop/per-key.js";
import { Ticker } from "../../core/loop/ticker.js";
import type { RouteTable } from "../../core/records/routes/route-table.js";
import type { InstanceState } from "../engines/engine.js";
import { unlessUnavailable } from "../engines/unless-unavailable.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { withServerAt } from "../routes/route-changes.js";
import type { ReconcileNeeds } from "./needs.js";

const TICK_MS = 1000;

/**
 * Follows instances that the engine moves to another address: the route table names the new one at once, the release's
 * record when its app is free. What is under way may still write the old address: it is corrected a second later.
 */
export class MovedInstances {
  private readonly stopping = new AbortController();
  /** Instances that have moved, for as long as they are kept. */
  private readonly moved = new Set<string>();
  private readonly records: PerKey;
  private readonly ticker: Ticker;
  private listening: Promise<void> = Promise.resolve();

  constructor(
    private readonly tools: ReconcileNeeds,
    private readonly pipeline: Pick<Pipeline, "exclusively">,
  ) {
    const warn = (error: unknown, app?: string): void =>
      tools.log.warn({ err: toAppError(error), app }, "could not follow an instance that moved");
    this.records = new PerKey({ onError: warn, backOff: { firstMs: TICK_MS, longestMs: 30_000 } });
    this.ticker = new Ticker({ everyMs: TICK_MS, job: async () => this.look(), onError: warn });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    this.listening = this.listen();
    return {
      stop: async () => {
        this.stopping.abort(new Error("the server stops"));
        await Promise.all([this.listening, this.ticker.stop(), this.records.stop()]);
      },
    };
  }

  private async listen(): Promise<void> {
    const { engine, clock, log } = this.tools;
    const { signal } = this.stopping;
    for (;;) {
      try {
        for await (const state of engine.moves(signal)) this.note(state);
        // The server stops, or the engine never moves an instance.
        return;
      } catch (error) {
        if (!isAppError(error, "engine-unavailable"))
          log.warn({ err: error }, "could not watch for instances that move");
        try {
          await clock.sleep(TICK_MS, signal);
        } catch {
          return;
        }
        await this.noteAll().catch(() => undefined);
      }
    }
  }

  private note({ id, address }: InstanceState): void {
    if (address === undefined) return;
    this.moved.add(id);
    this.ticker.wake();
  }

  /** Notes moves that were missed while the engine did not answer. */
  private async noteAll(): Promise<void> {
    for (const state of await this.tools.engine.list()) this.note(state);
  }

  /** Asks where each is now: one that was stopped and started again since is not where it had moved to. */
  private async look(): Promise<void> {
    if (this.moved.size === 0) return;
    const states = await unlessUnavailable(this.tools.engine.list());
    if (states === undefined) return;
    const addresses = new Map(states.map(({ id, address }) => [id, address]));
    for (const id of [...this.moved]) {
      const one = parseInstanceId(id);
      const address = addresses.get(id);
      if (one === undefined || !addresses.has(id) || (await this.isGone(one))) this.moved.delete(id);
      else if (address !== undefined) await this.follow(one, id, address);
    }
  }

  private async isGone({ app, release }: InstanceIdentity): Promise<boolean> {
    return (await this.tools.releases.find(app, release)) === undefined;
  }

  private async follow({ app, release }: InstanceIdentity, id: string, address: string): Promise<void> {
    const change = (table: RouteTable): RouteTable => withServerAt(table, release, { id, address });
    await this.tools.routes.update(app, change);
    const record = await this.tools.releases.find(app, release);
    if (record?.instances.some((known) => known.id === id && known.address !== address) !== true) return;
    const place = { app, what: `the new address of ${id}` };
    this.records.runIfIdle(app, async (signal) =>
      this.pipeline.exclusively({ ...place, signal }, async (_, locked) => {
        const now = await locked.releases.find(app, release);
        if (now === undefined) return;
        const instances = now.instances.map((known) => (known.id === id ? { ...known, address } : known));
        await locked.releases.save({ ...now, instances });
      }),
    );
  }
}
