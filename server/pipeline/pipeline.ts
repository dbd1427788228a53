import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { mkdir } from "node:fs/promises";
import type { Database } from "../../core/redis/database.js";
import { AppError, isAppError, toAppError } from "../../core/errors/app-error.js";
import { releaseName } from "../../core/names.js";
import { hasReached } from "../../core/records/releases/phase.js";
import type { AppRecord } from "../../core/records/apps/app-record.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { isPreview, PRODUCTION } from "../../core/records/routes/route-table.js";
import { takeLock, type HeldLock } from "../../core/redis/lock.js";
import { Repository, type Quarantine } from "../git/repository.js";
import { COPY, DEPLOY, PROMOTION, ROLLBACK } from "./deploy.js";
import { refuseFullDisk, watchDisk } from "./disk-space.js";
import { prewarmDependencies } from "../builds/prewarm-dependencies.js";
import { Output } from "./output.js";
import { Postponed, type PostponedWork } from "./runner/postponed.js";
import { ReleaseQueue, type Place } from "./release-queue.js";
import { runSteps, undoSteps } from "./runner/runner.js";
import type { ReleaseWork, Step } from "./step.js";
import type { PipelineNeeds } from "./needs.js";
import { whatServes } from "../releases/what-serves.js";

export interface ReleaseOrder extends Actor {
  readonly app: string;
  readonly commit: string;
  readonly branch: string;
  /** Undefined: the branch's own. */
  readonly track?: string;
  readonly source: ReleaseRecord["source"];
  readonly skipGates: boolean;
  readonly quarantine: Quarantine;
  /** It has the build of another release, and runs these. */
  readonly copy?: Pick<ReleaseRecord, "copyOf" | "processes">;
}

/** Its tools write only while the app's lock is held; its signal aborts when that is lost. */
type LockedJob<T> = (signal: AbortSignal, locked: PipelineNeeds) => Promise<T>;

type WorkOptions = Pick<ReleaseOrder, "quarantine" | "skipGates">;

/** Turns commits into releases, one at a time per app. */
export class Pipeline {
  private readonly queue = new ReleaseQueue();
  private readonly stopping = new AbortController();
  private readonly busy = new Set<Promise<unknown>>();
  /** App → the lock that is held while something releases it. */
  private readonly locks = new Map<string, HeldLock>();
  private readonly postponed: Postponed;
  /** Apps whose postponed releases have been given a place in the queue. */
  private readonly resolving = new Set<string>();

  constructor(
    readonly tools: PipelineNeeds,
    private readonly redis: Database,
    /** Name of this server, the same after a restart. */
    private readonly who: string,
  ) {
    this.postponed = new Postponed(tools.clock);
  }

  /**
   * Runs `job` while nothing else releases the app; its signal aborts when it must stop, and its tools write only as long as
   * the app is its own. Throws `release-busy`, `push-superseded`.
   */
  async exclusively<T>(place: Place, job: LockedJob<T>): Promise<T> {
    return this.inTurn(place, async (signal) => this.locked({ ...place, signal }, job));
  }

  /**
   * The same without the lock, which only keeps other servers out. Nothing that is called later comes before it. Throws
   * `push-superseded`.
   */
  async inTurn<T>(place: Place, job: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.any([place.signal, this.stopping.signal]);
    return this.track(this.queue.run({ ...place, signal }, async () => job(signal)));
  }

  /** Takes the app's lock for `job`. Only within `inTurn`. Throws `release-busy`. */
  async locked<T>(
    { app, what, signal }: Pick<Place, "app" | "what" | "signal">,
    job: LockedJob<T>,
  ): Promise<T> {
    const lock = await takeLock(this.redis, app, this.who, what);
    this.locks.set(app, lock);
    try {
      for (const postponed of this.postponed.of(app)) await this.resolve(postponed);
      return await job(AbortSignal.any([signal, lock.lost]), this.toolsUnderLock(app));
    } finally {
      this.locks.delete(app);
      await lock.release();
    }
  }

  /** Aborts when the server stops. */
  get stopped(): AbortSignal {
    return this.stopping.signal;
  }

  /**
   * Records a new release, queued. Only within `exclusively`. A push makes the app; nothing else does: it may be gone by
   * now. Throws `app-unknown`.
   */
  async begin(order: ReleaseOrder, out: Output): Promise<ReleaseWork> {
    await refuseFullDisk(this.tools);
    const { commit, branch, source, copy } = order;
    const makesApp = source === "push" && copy === undefined;
    const app = await (makesApp ? this.tools.apps.ensure(order.app, order) : this.tools.apps.read(order.app));
    const track = order.track ?? (await this.tools.branchTracks.claim(app.name, branch));
    const what = { app: app.name, commit, branch, track, ...actorOf(order), source };
    const how = copy === undefined ? { steps: "deploy" as const } : { steps: "copy" as const, ...copy };
    const draft = await this.tools.releases.draft({ processes: [], ...what, ...how });
    const work = this.workOf(app, draft, out, order, this.toolsUnderLock(app.name));
    try {
      await this.tools.releases.save(draft);
      await mkdir(this.tools.home.release(app.name, draft.number), { recursive: true });
      out.keepIn(this.tools.home.releaseOutput(app.name, draft.number), logBytes(this.tools));
      return work;
    } catch (error) {
      // An answer of Redis' that was lost may have been a yes.
      await this.undo(work, toAppError(error)).catch(() => undefined);
      throw error;
    }
  }

  /** Everything up to `healthy`: what runs is not touched, and a failure takes all of it back. */
  async toHealthy(work: ReleaseWork, signal: AbortSignal): Promise<void> {
    await this.orPostpone(work, this.make(work, signal));
  }

  /** The rest, from wherever the release is; answers when it serves. */
  async toSettled(work: ReleaseWork, signal: AbortSignal): Promise<void> {
    await this.orPostpone(work, this.makeAndFinish(work, signal));
    const seconds = ((this.tools.clock.now() - work.beganAt) / 1000).toFixed(1);
    work.out.heading(
      `Live: ${whatServes(this.tools.settings, work.record)} (${releaseName(work.record.number)}, ${seconds} s)`,
    );
    sayWhatStartsIt(work);
    void this.track(prewarmDependencies(work));
  }

  /** Takes an unfinished release back. */
  async undo(work: ReleaseWork, error: AppError): Promise<void> {
    await this.orPostpone(work, undoSteps(work, stepsOf(work), error));
    await this.freeTrack(work).catch(() => undefined);
  }

  /**
   * Gives releases that could be neither finished nor undone another try, each in its app's queue, before whatever else is to
   * be done there. Does not wait for it.
   */
  resolvePostponed(): void {
    for (const app of this.postponed.dueApps()) {
      if (this.resolving.has(app)) continue;
      this.resolving.add(app);
      const place = { app, what: "the end of an earlier release", signal: this.stopping.signal };
      this.exclusively(place, async () => undefined)
        .catch((error: unknown) => this.tools.log.debug({ err: error, app }, "a release is still postponed"))
        .finally(() => this.resolving.delete(app));
    }
  }

  /** A branch whose first push came to nothing is no branch: another may have the name. */
  private async freeTrack({ record: { app, branch, track }, repository }: ReleaseWork): Promise<void> {
    if (!isPreview(track) || (await this.tools.routes.read(app)).tracks[track] !== undefined) return;
    if ((await repository.head(branch)) === undefined) await this.tools.branchTracks.free(app, branch);
  }

  /** A release as steps work on it, for what does not release its app: starting again what serves already. */
  async work(record: ReleaseRecord, out: Output, options: WorkOptions): Promise<ReleaseWork> {
    return this.workOf(await this.tools.apps.read(record.app), record, out, options, this.tools);
  }

  /** The same within `exclusively`: it can write as long as the app is its own. */
  async lockedWork(record: ReleaseRecord, out: Output, options: WorkOptions): Promise<ReleaseWork> {
    const tools = this.toolsUnderLock(record.app);
    return this.workOf(await this.tools.apps.read(record.app), record, out, options, tools);
  }

  /** Cancels what is before `live` and waits until all is through or taken back. */
  async stop(): Promise<void> {
    this.stopping.abort(new AppError("server-stopping", {}));
    await Promise.allSettled([...this.busy]);
  }

  /** Ended when the disk fills up: a build may take all the room there is. What needs none, like a rollback, is not. */
  private async make(work: ReleaseWork, signal: AbortSignal): Promise<void> {
    const disk = watchDisk(this.tools);
    try {
      await runSteps(work, stepsOf(work), "healthy", AbortSignal.any([signal, disk.full]));
    } finally {
      disk.stop();
    }
  }

  private async makeAndFinish(work: ReleaseWork, signal: AbortSignal): Promise<void> {
    if (work.record.steps !== "rollback") await this.make(work, signal);
    await this.finish(work, signal);
  }

  private async finish(work: ReleaseWork, signal: AbortSignal): Promise<void> {
    await runSteps(work, stepsOf(work), "settled", signal);
  }

  private workOf(
    app: AppRecord,
    record: ReleaseRecord,
    out: Output,
    { quarantine, skipGates }: WorkOptions,
    tools: PipelineNeeds,
  ): ReleaseWork {
    const { home, clock } = tools;
    const repository = new Repository(home.repository(app.name), home.gitHome(), quarantine);
    const [beganAt, endsBefore] = [clock.now(), new Map<string, number>()];
    return { app, record, repository, out, skipGates, beganAt, endsBefore, tools, isSwitchTried: false };
  }

  /** The tools whose writes Redis takes only while the app's lock is held. */
  private toolsUnderLock(app: string): PipelineNeeds {
    const lock = this.locks.get(app);
    if (lock === undefined) throw new AppError("internal", { reason: `${app} is not locked for a release` });
    const { routes, releases, apps } = this.tools;
    return {
      ...this.tools,
      ...{ routes: routes.under(lock), releases: releases.under(lock), apps: apps.under(lock) },
    };
  }

  private async orPostpone(work: ReleaseWork, steps: Promise<void>): Promise<void> {
    try {
      await steps;
    } catch (error) {
      const isDone = work.record.phase === "failed" || work.record.phase === "retired";
      // Live and not settled: what failed then may be possible later, a folder removed or a file read.
      if (!isDone) this.postponed.add({ work, error: reasonOf(error) });
      if (work.record.phase === "failed") await this.freeTrack(work).catch(() => undefined);
      throw error;
    }
  }

  /**
   * What its record and the table say counts: an answer that was lost may have been a yes. What is live is finished, anything
   * else is taken back. Its failure is nobody else's.
   */
  private async resolve(postponed: PostponedWork): Promise<void> {
    const { work: earlier, error } = postponed;
    const { app, number } = earlier.record;
    const fields = { app, release: releaseName(number) };
    const out = new Output();
    try {
      await this.tools.turns.take(app, number, async () => {
        const record = await this.tools.releases.find(app, number);
        if (record === undefined || ["settled", "retired", "failed"].includes(record.phase)) return;
        const work = { ...earlier, record, out, tools: this.toolsUnderLock(app), isSwitchTried: false };
        out.keepIn(this.tools.home.releaseOutput(app, number), logBytes(this.tools));
        const isLive = await servesOrDid(work);
        this.tools.log.info({ ...fields, phase: record.phase, isLive }, "found an unfinished release");
        if (isLive) await this.finish(work, this.stopping.signal);
        else {
          await undoSteps(work, stepsOf(work), error);
          await this.freeTrack(work);
        }
      });
      this.postponed.remove(postponed);
    } catch (problem) {
      this.tools.log.warn({ err: problem, ...fields }, "could neither finish nor undo a release yet");
      this.postponed.putOff(postponed);
    } finally {
      await out.close();
    }
  }

  private async track<T>(work: Promise<T>): Promise<T> {
    this.busy.add(work);
    try {
      return await work;
    } catch (error) {
      this.tools.log.debug({ err: toAppError(error) }, "release");
      throw error;
    } finally {
      this.busy.delete(work);
    }
  }
}

/** A Procfile's processes but `web` begin with none. */
function sayWhatStartsIt({ out, record: { app, track, processes } }: ReleaseWork): void {
  const [first] = processes;
  if (track !== PRODUCTION || first === undefined || processes.some(({ quantity }) => quantity > 0)) return;
  out.line(`No instance is running. To start one: sluice scale ${app} ${first.name}=1`);
}

function stepsOf({ record }: ReleaseWork): readonly Step[] {
  return { deploy: DEPLOY, rollback: ROLLBACK, copy: COPY, promotion: PROMOTION }[record.steps];
}

/** Why a release failed, if it did. */
function reasonOf(error: unknown): AppError {
  return toAppError(isAppError(error, "release-in-doubt") ? error.cause : error);
}

/** Whether the switch to it was written: whole, as its record's phase, or at least as far as the table. */
export async function servesOrDid({ tools, record }: ReleaseWork): Promise<boolean> {
  const { tracks } = await tools.routes.read(record.app);
  return hasReached(record.phase, "live") || Object.values(tracks).includes(record.number);
}

function logBytes({ settings }: PipelineNeeds): number {
  return settings.limits.logMegabytes * 1024 * 1024;
}
