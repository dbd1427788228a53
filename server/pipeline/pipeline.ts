import { mkdir } from "node:fs/promises";
import { AppError, toAppError } from "../../core/app-error.js";
import { releaseName } from "../../core/names.js";
import { hasReached } from "../../core/records/phase.js";
import type { AppRecord } from "../../core/records/app-record.js";
import type { ReleaseRecord } from "../../core/records/release-record.js";
import { isPreview, PRODUCTION } from "../../core/records/route-table.js";
import type { Redis } from "ioredis";
import { takeLock } from "../../core/redis/lock.js";
import { redisError } from "../../core/redis/connection.js";
import { Repository, type Quarantine } from "../git/repository.js";
import { COPY, DEPLOY, ROLLBACK } from "./deploy.js";
import { refuseFullDisk, watchDisk } from "./disk-space.js";
import { layDependenciesReady } from "./ready-dependencies.js";
import type { Output } from "./output.js";
import { ReleaseQueue, type Place } from "./release-queue.js";
import { runSteps, undoSteps } from "./runner.js";
import type { ReleaseWork, Step } from "./step.js";
import type { Tools } from "../tools.js";
import { whatServes } from "../releases/what-serves.js";

export interface ReleaseOrder {
  readonly app: string;
  readonly commit: string;
  readonly branch: string;
  /** Undefined: the branch's own. */
  readonly track?: string;
  readonly by: string;
  readonly source: ReleaseRecord["source"];
  readonly skipGates: boolean;
  readonly quarantine: Quarantine;
  /** It has the build of another release, and runs these. */
  readonly copy?: Pick<ReleaseRecord, "copyOf" | "processes">;
}

/** Turns commits into releases, one at a time per app. */
export class Pipeline {
  private readonly queue = new ReleaseQueue();
  private readonly stopping = new AbortController();
  private readonly busy = new Set<Promise<unknown>>();
  /** Releases that failed, but whose records do not say so yet. */
  private readonly halfUndone = new Map<ReleaseWork, AppError>();

  constructor(
    private readonly tools: Tools,
    private readonly redis: Redis,
    /** Name of this server, the same after a restart. */
    private readonly who: string,
  ) {}

  /** Runs `job` while nothing else releases the app; its signal aborts when it must stop. Throws `release-busy`, `push-superseded`. */
  async exclusively<T>(place: Place, job: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = AbortSignal.any([place.signal, this.stopping.signal]);
    return this.track(
      this.queue.run({ ...place, signal }, async () => {
        const lock = await takeLock(this.redis, place.app, this.who, place.what).catch((error: unknown) => {
          throw redisError(error);
        });
        const disk = watchDisk(this.tools);
        try {
          return await job(AbortSignal.any([signal, lock.lost, disk.full]));
        } finally {
          disk.stop();
          await lock.release();
        }
      }),
    );
  }

  /** Records a new release, queued; the app is made by its first. */
  async begin(order: ReleaseOrder, out: Output): Promise<ReleaseWork> {
    await refuseFullDisk(this.tools);
    const app = await this.tools.apps.ensure(order.app);
    const { commit, branch, by, source, copy } = order;
    const track = order.track ?? (await this.tools.branchTracks.claim(app.name, branch));
    const what = { app: app.name, commit, branch, track, by, source };
    const how = copy === undefined ? { order: "deploy" as const } : { order: "copy" as const, ...copy };
    const draft = await this.tools.releases.draft({ processes: [], ...what, ...how });
    const work = this.workOf(app, draft, out, order);
    try {
      await this.tools.releases.save(draft);
      await mkdir(this.tools.home.release(app.name, draft.number), { recursive: true });
      const { logMegabytes } = this.tools.settings.limits;
      out.keepIn(this.tools.home.releaseOutput(app.name, draft.number), logMegabytes * 1024 * 1024);
      this.tools.changes.tell(undefined, draft);
      return work;
    } catch (error) {
      // An answer of Redis' that was lost may have been a yes.
      await this.undo(work, toAppError(error)).catch(() => undefined);
      throw error;
    }
  }

  /** Everything up to `healthy`: what runs is not touched, and a failure takes all of it back. */
  async toHealthy(work: ReleaseWork, signal: AbortSignal): Promise<void> {
    await this.orRemember(work, runSteps(work, DEPLOY, "healthy", signal));
  }

  /** The rest, from wherever the release is; answers when it serves. */
  async toSettled(work: ReleaseWork, signal: AbortSignal): Promise<void> {
    await this.orRemember(work, runSteps(work, stepsOf(work), "settled", signal));
    const seconds = ((this.tools.clock.now() - work.beganAt) / 1000).toFixed(1);
    work.out.heading(
      `Live: ${whatServes(this.tools.settings, work.record)} (${releaseName(work.record.number)}, ${seconds} s)`,
    );
    sayWhatStartsIt(work);
    void this.track(layDependenciesReady(work));
  }

  /** Takes an unfinished release back. */
  async undo(work: ReleaseWork, error: AppError): Promise<void> {
    await this.orRemember(work, undoSteps(work, stepsOf(work), error));
    await this.freeTrack(work).catch(() => undefined);
  }

  /** Tries again to take back what could not be taken back while Redis was away. */
  async undoRemembered(): Promise<void> {
    for (const [work, error] of this.halfUndone) {
      await undoSteps(work, stepsOf(work), error);
      this.halfUndone.delete(work);
    }
  }

  /** A branch whose first push came to nothing is no branch: another may have the name. */
  private async freeTrack({ record: { app, branch, track }, repository }: ReleaseWork): Promise<void> {
    if (!isPreview(track) || (await this.tools.routes.read(app)).tracks[track] !== undefined) return;
    if ((await repository.head(branch)) === undefined) await this.tools.branchTracks.free(app, branch);
  }

  /** A release as steps work on it. */
  async work(
    record: ReleaseRecord,
    out: Output,
    options: Pick<ReleaseOrder, "quarantine" | "skipGates">,
  ): Promise<ReleaseWork> {
    return this.workOf(await this.tools.apps.read(record.app), record, out, options);
  }

  /** Cancels what is before `live` and waits until all is through or taken back. */
  async stop(): Promise<void> {
    this.stopping.abort(new AppError("server-stopping", {}));
    await Promise.allSettled([...this.busy]);
  }

  private workOf(
    app: AppRecord,
    record: ReleaseRecord,
    out: Output,
    { quarantine, skipGates }: Pick<ReleaseOrder, "quarantine" | "skipGates">,
  ): ReleaseWork {
    const { home, clock } = this.tools;
    const repository = new Repository(home.repository(app.name), home.gitHome(), quarantine);
    const [beganAt, endsBefore] = [clock.now(), new Map<string, number>()];
    return { app, record, repository, out, skipGates, beganAt, endsBefore, tools: this.tools };
  }

  private async orRemember(work: ReleaseWork, steps: Promise<void>): Promise<void> {
    try {
      await steps;
    } catch (error) {
      const { phase } = work.record;
      if (phase !== "failed" && !hasReached(phase, "live")) this.halfUndone.set(work, toAppError(error));
      if (phase === "failed") await this.freeTrack(work).catch(() => undefined);
      throw error;
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
  out.line(`Nothing runs: \`sluice scale ${app} ${first.name}=1\` starts a ${first.name}.`);
}

function stepsOf({ record }: ReleaseWork): readonly Step[] {
  return { deploy: DEPLOY, rollback: ROLLBACK, copy: COPY }[record.order];
}
