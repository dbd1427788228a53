import type { Clock } from "../../core/clock.js";
import { parseInstanceId } from "../../core/instances/instance-id.js";
import type { Log } from "../../core/log.js";
import { hasApplied, type ProxyMember, type ProxyReports } from "../../core/records/routes/proxy-reports.js";
import type { Engine } from "../engines/engine.js";
import { untilEngineAnswers } from "../engines/until-engine-answers.js";

export interface DrainingOptions {
  readonly proxyReports: ProxyReports;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  /** Between TERM and KILL. */
  readonly stopSeconds: number;
}

interface Leave {
  /** Aborts while it waits; one that is being stopped is stopped. */
  readonly wait: AbortController;
  readonly gone: Promise<void>;
}

interface LeaveOptions {
  /**
   * Of the route tables: a revision without the instance. Asked until it answers, where it is not known whether there is one;
   * `undefined`: the instance stays after all.
   */
  readonly goneSince: number | (() => Promise<number | undefined>);
  /** What is open on it may take so long. */
  readonly drainSeconds: number;
  /** Once it is stopped. */
  readonly afterwards?: () => Promise<void>;
}

const POLL_MS = 200;

/**
 * Instances that the route tables name no more while their release goes on: each is stopped when the proxies report nothing
 * open on it. Those of a server that ends are found again by the next one (`recover`).
 */
export class DrainingInstances {
  private readonly leaving = new Map<string, Leave>();
  private isStopped = false;

  constructor(private readonly options: DrainingOptions) {}

  begin(id: string, options: LeaveOptions): void {
    if (this.isStopped || this.leaving.has(id)) return;
    const wait = new AbortController();
    const gone = this.leave(id, options, wait.signal)
      .catch((error: unknown) => {
        if (!wait.signal.aborted)
          this.options.log.warn({ err: error, instance: id }, "an instance did not leave");
      })
      .finally(() => this.leaving.delete(id));
    this.leaving.set(id, { wait, gone });
  }

  isLeaving(id: string): boolean {
    return this.leaving.has(id);
  }

  /** It is wanted again: one that still runs stays, one that is being stopped is waited for. */
  async reclaim(id: string): Promise<void> {
    const leave = this.leaving.get(id);
    leave?.wait.abort(new Error("it is wanted again"));
    await leave?.gone;
  }

  /** Waits for those that are being stopped; the others stay. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all([...this.leaving.keys()].map(async (id) => this.reclaim(id)));
  }

  private async leave(id: string, options: LeaveOptions, signal: AbortSignal): Promise<void> {
    const { engine, clock, stopSeconds } = this.options;
    const revision = await this.revisionOf(options, signal);
    if (revision === undefined) return;
    const state = await untilEngineAnswers(clock, async () => engine.state(id), signal);
    if (state?.address !== undefined) await this.drained(id, state.address, revision, options, signal);
    signal.throwIfAborted();
    await untilEngineAnswers(clock, async () => engine.stop(id, stopSeconds), signal);
    await options.afterwards?.();
  }

  private async revisionOf({ goneSince }: LeaveOptions, signal: AbortSignal): Promise<number | undefined> {
    if (typeof goneSince === "number") return goneSince;
    for (;;) {
      const answer = await goneSince().then(
        (revision) => ({ revision }),
        () => undefined,
      );
      if (answer !== undefined) return answer.revision;
      await this.options.clock.sleep(POLL_MS, signal);
    }
  }

  /**
   * Every proxy has taken it out, and has nothing open on it any more or its time is over. One that is silent may lead
   * visitors to it for as long as it likes.
   */
  private async drained(
    id: string,
    address: string,
    revision: number,
    { drainSeconds }: LeaveOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const { proxyReports, clock } = this.options;
    const app = parseInstanceId(id)?.app ?? "";
    // Not by the clock: that may be set meanwhile.
    const deadline = performance.now() + drainSeconds * 1000;
    const isLeft = (member: ProxyMember): boolean =>
      hasApplied(member, revision, app) &&
      (performance.now() >= deadline || !member.report.leaving.includes(address));
    for (;;) {
      // While Redis is away nothing is known.
      const members = await proxyReports.members().catch(() => undefined);
      if (members?.every(isLeft)) return;
      await clock.sleep(POLL_MS, signal);
    }
  }
}
