import { Slots } from "../../core/async/slots.js";
import { AppError, toAppError } from "../../core/errors/app-error.js";
import { groupBy } from "../../core/group-by.js";
import { parseInstanceId } from "../../core/instances/instance-id.js";
import { PerKey } from "../../core/loop/per-key.js";
import { Ticker } from "../../core/loop/ticker.js";
import { releaseName } from "../../core/names.js";
import { hasReached } from "../../core/records/releases/phase.js";
import { hasRoomFor, type EngineHosts } from "../engines/engine-hosts.js";
import type { InstanceState } from "../engines/engine.js";
import { unlessUnavailable } from "../engines/unless-unavailable.js";
import { Output } from "../pipeline/output.js";
import { relocate } from "../pipeline/operations/relocate.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { hostRoleOf } from "../releases/host-role-of.js";
import type { ReconcileNeeds } from "./needs.js";

const TICK_MS = 2000;
/** Releases that start instances elsewhere at the same time. */
const AT_ONCE = 4;
const BACK_OFF = { firstMs: 2000, longestMs: 15_000 };

/** One release's instances that are to leave a host. */
interface Group {
  readonly app: string;
  readonly release: number;
  readonly host: string;
  readonly ids: readonly string[];
}

/**
 * Moves the instances of draining hosts to other hosts, release by release. Each instance is replaced before it leaves.
 * Instances that no longer get visitors end by themselves, and the engine restarts those of a host that is down elsewhere.
 */
export class HostDrains {
  private readonly ticker: Ticker;
  private readonly apps: PerKey;
  private readonly slots = new Slots(AT_ONCE);
  /** Instance → why it could not be moved yet. */
  private readonly problems = new Map<string, AppError>();

  constructor(
    private readonly tools: ReconcileNeeds,
    private readonly pipeline: Pipeline,
    private readonly hosts: EngineHosts,
  ) {
    const warn = (error: unknown, app?: string): void =>
      tools.log.warn({ err: toAppError(error), app }, "could not move instances of a host that drains");
    this.apps = new PerKey({ onError: warn, backOff: BACK_OFF });
    this.ticker = new Ticker({ everyMs: TICK_MS, job: async () => this.look(), onError: warn });
  }

  start(): { stop(): Promise<void> } {
    this.ticker.start();
    return {
      stop: async () => {
        await Promise.all([this.ticker.stop(), this.apps.stop()]);
      },
    };
  }

  /** Looks now: a drain has begun or ended. */
  wake(): void {
    this.ticker.wake();
  }

  /** Why an instance could not leave its host yet. */
  problemOf(instance: string): AppError | undefined {
    return this.problems.get(instance);
  }

  private async look(): Promise<void> {
    const groups = (await unlessUnavailable(this.groups())) ?? [];
    const due = new Set(groups.flatMap(({ ids }) => ids));
    for (const id of this.problems.keys()) if (!due.has(id)) this.problems.delete(id);
    for (const [app, own] of groupBy(groups, (group) => group.app))
      this.apps.runIfIdle(app, async (signal) => this.move(own, signal));
  }

  private async groups(): Promise<Group[]> {
    const hosts = (await this.hosts.list()).filter(({ draining, state }) => draining && state === "ready");
    // Most of the time there is none.
    if (!hosts.some(({ instances }) => instances.length > 0)) return [];
    const names = new Set(hosts.map(({ name }) => name));
    const states = (await this.tools.engine.list()).filter(({ host }) => names.has(host ?? ""));
    const groups = groupBy(
      states.filter(({ id }) => !this.tools.leaving.isLeaving(id)),
      keyOf,
    );
    return [...groups.values()].flatMap(groupOf);
  }

  private async move(groups: readonly Group[], signal: AbortSignal): Promise<void> {
    let failure: AppError | undefined;
    for (const group of groups) {
      try {
        await this.moveGroup(group, signal);
        for (const id of group.ids) this.problems.delete(id);
      } catch (error) {
        if (signal.aborted) throw error;
        const problem = toAppError(error);
        for (const id of group.ids) this.problems.set(id, problem);
        failure ??= problem;
      }
    }
    // So that it is not tried again at once.
    if (failure !== undefined) throw failure;
  }

  private async moveGroup({ app, release, host, ids }: Group, signal: AbortSignal): Promise<void> {
    const { turns, routes, releases, log } = this.tools;
    const place = { app, what: `the move of instances from ${host}`, signal };
    await this.pipeline.exclusively(place, async (stop) =>
      turns.take(app, release, async () => {
        const [record, table] = await Promise.all([releases.find(app, release), routes.read(app)]);
        const routed = table.releases.find(({ number, asleep }) => number === release && !asleep);
        if (record === undefined || routed === undefined || !hasReached(record.phase, "live")) return;
        const role = hostRoleOf(record);
        if (!hasRoomFor(role, await this.hosts.list())) throw new AppError("host-no-room", { host, role });
        const work = await this.pipeline.lockedWork(record, new Output(), {
          quarantine: {},
          skipGates: false,
        });
        const giveBack = await this.slots.take(stop);
        try {
          await relocate(work, routed, new Set(ids), stop);
          log.info(
            { app, release: releaseName(release), host, instances: ids },
            "moved instances off a host",
          );
        } finally {
          giveBack();
        }
      }),
    );
  }
}

function keyOf({ id, host = "" }: InstanceState): string {
  const one = parseInstanceId(id);
  return `${host} ${one?.app ?? ""} ${one?.release ?? 0}`;
}

function groupOf(states: readonly InstanceState[]): Group[] {
  const [first] = states;
  const one = first && parseInstanceId(first.id);
  if (one === undefined || first?.host === undefined) return [];
  return [{ app: one.app, release: one.release, host: first.host, ids: states.map(({ id }) => id) }];
}
