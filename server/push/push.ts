import { access } from "node:fs/promises";
import { AppError, isAppError, toAppError } from "../../core/errors/app-error.js";
import { deferred } from "../../core/deferred.js";
import type { Log } from "../../core/log.js";
import { branchOfRef } from "../../core/names.js";
import { hasReached } from "../../core/records/releases/phase.js";
import { PRODUCTION } from "../../core/records/routes/route-table.js";
import type { Settings } from "../../core/settings/settings.js";
import { Repository, type Quarantine } from "../git/repository.js";
import { Output } from "../pipeline/output.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { ReleaseWork } from "../pipeline/step.js";
import type { HookAnswerer, HookRequest, RefUpdate } from "./hook-channel.js";
import { readQuarantine } from "./quarantine.js";
import type { AppRemovals } from "../apps/app-removals.js";
import { fixedTrack } from "../routes/track-of-branch.js";

export interface PushOptions {
  readonly app: string;
  /** Who pushes: the name of a token or key. */
  readonly by: string;
  readonly repositoryPath: string;
  readonly gitHome: string;
  readonly settings: Pick<Settings, "gates" | "allowSkipGates">;
  readonly pipeline: Pipeline;
  readonly removals: AppRemovals;
  /** Called for a branch that was deleted, once git has deleted it. Waits for its turn. */
  readonly onBranchDeleted: (app: string, branch: string, by: string) => Promise<void>;
  readonly log: Log;
}

interface BranchUpdate {
  readonly branch: string;
  readonly before: string;
  readonly commit: string;
}

const NOTHING = /^0+$/;

/**
 * One `git push`, from the hooks' questions to git's end. In `pre-receive` each pushed branch becomes a healthy release or
 * the push is declined; in `post-receive` they go live. The app stays ours alone from the one to the other.
 */
export class Push implements HookAnswerer {
  private readonly out = new Output();
  private readonly interrupted = new AbortController();
  /** Settled when git has ended, whatever became of the push. */
  private readonly gitEnded = deferred<undefined>();
  private readonly received = deferred<undefined>();
  private session: Promise<void> = Promise.resolve();
  private readonly postReceiveAnswered = deferred<number>();
  private isAccepted = false;
  private readonly beganAt: number;

  constructor(private readonly options: PushOptions) {
    this.beganAt = options.removals.now();
  }

  async answer(request: HookRequest, print: (line: string) => void): Promise<number> {
    const unwatch = this.out.watch(print);
    try {
      return request.hook === "pre-receive"
        ? await this.preReceive(request)
        : await this.postReceive(request);
    } catch (error) {
      const problem = toAppError(error);
      if (isAppError(problem, "internal"))
        this.options.log.error({ err: error, app: this.options.app }, "push");
      this.out.problem(problem);
      return 1;
    } finally {
      unwatch();
    }
  }

  /** The pusher is gone. What is accepted already continues. */
  interrupt(): void {
    if (!this.isAccepted) this.interrupted.abort(new AppError("push-interrupted", {}));
  }

  /** Git has ended; resolves when nothing of the push is left to do. */
  async end(): Promise<void> {
    this.gitEnded.resolve(undefined);
    await this.session;
    await this.out.close();
  }

  private async preReceive(request: HookRequest): Promise<number> {
    const quarantine = readQuarantine(request.environment, this.options.repositoryPath);
    const repository = new Repository(this.options.repositoryPath, this.options.gitHome, quarantine);
    const updates = await branchUpdates(request.updates, repository);
    const skipGates = request.options.includes("skip-gates");
    if (skipGates && !this.options.settings.allowSkipGates) throw new AppError("push-skip-gates", {});
    if (updates.length === 0) return 0;
    const declined = deferred<never>();
    const accepted = deferred<undefined>();
    declined.promise.catch(() => undefined);
    this.session = this.release(updates, repository, { quarantine, skipGates }, () =>
      accepted.resolve(undefined),
    ).catch((error: unknown) => {
      declined.reject(error);
      this.postReceiveAnswered.resolve(1);
    });
    await Promise.race([accepted.promise, declined.promise]);
    this.isAccepted = true;
    return 0;
  }

  private async postReceive(request: HookRequest): Promise<number> {
    this.received.resolve(undefined);
    const status = this.isAccepted ? await this.postReceiveAnswered.promise : 0;
    // After the branches that go live, for whom the app is held.
    for (const { ref, after } of request.updates) {
      const branch = branchOfRef(ref);
      if (branch !== undefined && NOTHING.test(after)) await this.branchDeleted(branch);
    }
    return status;
  }

  /** A preview or a canary goes with its branch. Production does not: its branch may only have got another name. */
  private async branchDeleted(branch: string): Promise<void> {
    const { app, by, onBranchDeleted } = this.options;
    if (fixedTrack(branch) !== PRODUCTION) await onBranchDeleted(app, branch, by);
    else this.out.line(`production keeps running; \`sluice destroy ${app} --yes\` would remove it`);
  }

  /** The whole of a push while the app is ours: healthy, accepted, received by git, live. */
  private async release(
    updates: readonly BranchUpdate[],
    repository: Repository,
    options: { quarantine: Quarantine; skipGates: boolean },
    accept: () => void,
  ): Promise<void> {
    const [first] = updates;
    if (first === undefined) return;
    const place = {
      app: this.options.app,
      what: `${first.commit.slice(0, 10)} of ${first.branch}`,
      ...(updates.length === 1 ? { push: first } : {}),
      signal: this.interrupted.signal,
      onWait: (ahead: string) => this.out.heading(`Waiting for ${ahead}`),
    };
    await this.options.pipeline.exclusively(place, async (signal) => {
      let works: ReleaseWork[] = [];
      const isGated = this.options.settings.gates === "pre-receive";
      try {
        await this.refuseRemovedApp();
        for (const update of updates) {
          await refuseMovedBranch(repository, update);
          const work = await this.begin(update, options);
          works.push(work);
          if (isGated) await this.options.pipeline.toHealthy(work, signal);
        }
        accept();
        const taken = await this.takenByGit(works);
        await this.takeBack(
          works.filter((work) => !taken.includes(work)),
          new AppError("push-interrupted", {}),
        );
        works = taken;
      } catch (error) {
        await this.takeBack(works, toAppError(error));
        throw error;
      }
      await this.goLive(works, signal);
    });
  }

  /** While it waited. A later push may have made the app again; what came with this one has gone with the repository. */
  private async refuseRemovedApp(): Promise<void> {
    const { app, removals, repositoryPath } = this.options;
    if (removals.hasSince(app, this.beganAt)) throw new AppError("push-app-removed", { app });
    await access(repositoryPath).catch((error: unknown) => {
      throw new AppError("push-app-removed", { app }, { cause: error });
    });
  }

  private async begin(
    { branch, commit }: BranchUpdate,
    options: { quarantine: Quarantine; skipGates: boolean },
  ): Promise<ReleaseWork> {
    const { app, by, pipeline } = this.options;
    return pipeline.begin({ app, commit, branch, by, source: "push", ...options }, this.out);
  }

  /** Waits until git has moved the branches, or has ended; answers those whose branch it has moved. */
  private async takenByGit(works: readonly ReleaseWork[]): Promise<ReleaseWork[]> {
    await Promise.race([this.received.promise, this.gitEnded.promise]);
    const repository = new Repository(this.options.repositoryPath, this.options.gitHome);
    const heads = await Promise.all(works.map(async ({ record }) => repository.head(record.branch)));
    return works.filter(({ record }, index) => heads[index] === record.commit);
  }

  private async takeBack(works: readonly ReleaseWork[], error: AppError): Promise<void> {
    for (const work of works.filter(({ record }) => record.phase !== "failed")) {
      // What cannot be undone while Redis is away is undone later; the pusher sees the reason.
      await this.options.pipeline.undo(work, error).catch((problem: unknown) => {
        this.options.log.warn({ err: problem, app: this.options.app }, "could not undo a release yet");
      });
    }
  }

  private async goLive(works: readonly ReleaseWork[], signal: AbortSignal): Promise<void> {
    const repository = new Repository(this.options.repositoryPath, this.options.gitHome);
    let status = 0;
    for (const { branch, work } of works.map((work) => ({
      branch: work.record.branch,
      work: { ...work, repository },
    }))) {
      try {
        await this.options.pipeline.toSettled(work, signal);
      } catch (error) {
        const problem = toAppError(error);
        // Git already has the branch, so repeating the same push would do nothing.
        const isLost = problem.retriable && !hasReached(work.record.phase, "live");
        this.out.problem(
          isLost ? new AppError("push-not-live", { branch, reason: problem.message }) : problem,
        );
        status = 1;
      }
    }
    this.postReceiveAnswered.resolve(status);
  }
}

/** Only branches and tags may be pushed, branches only to commits. Tags and deletions make no release. */
async function branchUpdates(updates: readonly RefUpdate[], repository: Repository): Promise<BranchUpdate[]> {
  const branches: BranchUpdate[] = [];
  for (const { ref, before, after } of updates) {
    if (/^refs\/tags\/[^\s]{1,100}$/.test(ref)) continue;
    const branch = branchOfRef(ref);
    if (branch === undefined) throw new AppError("push-ref-invalid", { ref });
    if (NOTHING.test(after)) continue;
    const type = await repository.typeOf(after);
    if (type !== "commit") throw new AppError("push-not-a-commit", { ref, type });
    branches.push({ branch, before, commit: after });
  }
  return branches;
}

/** After waiting, the branch may not be where the pusher saw it: git would refuse the update in the end. */
async function refuseMovedBranch(repository: Repository, { branch, before }: BranchUpdate): Promise<void> {
  const now = (await repository.head(branch)) ?? "0".repeat(before.length);
  if (now !== before) throw new AppError("push-branch-moved", { branch });
}
