import { actorOf, type Actor } from "../../core/records/events/actor.js";
import { access } from "node:fs/promises";
import { AppError, isAppError, toAppError } from "../../core/errors/app-error.js";
import { deferred } from "../../core/async/deferred.js";
import type { Log } from "../../core/log.js";
import { branchOfRef } from "../../core/names.js";
import { hasReached } from "../../core/records/releases/phase.js";
import { PRODUCTION } from "../../core/records/routes/route-table.js";
import type { Settings } from "../../core/settings/settings.js";
import { Repository, type Quarantine } from "../git/repository.js";
import { Output } from "../pipeline/output.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { releaseBranches, type BranchOutcome } from "../pipeline/release-branches.js";
import type { ReleaseWork } from "../pipeline/step.js";
import type { HookAnswerer, HookRequest, RefUpdate } from "./hook-channel.js";
import { readQuarantine } from "./quarantine.js";
import type { AppRemovals } from "../apps/app-removals.js";
import { fixedTrack } from "../routes/track-of-branch.js";

export interface PushOptions {
  readonly app: string;
  /** Who pushes. */
  readonly actor: Actor;
  readonly repositoryPath: string;
  readonly gitHome: string;
  readonly settings: Pick<Settings, "gates" | "allowSkipGates">;
  readonly pipeline: Pipeline;
  readonly removals: AppRemovals;
  /** Called for a branch that was deleted, once git has deleted it. Waits for its turn. */
  readonly onBranchDeleted: (app: string, branch: string, actor: Actor) => Promise<void>;
  readonly log: Log;
}

interface BranchUpdate {
  readonly branch: string;
  readonly before: string;
  readonly commit: string;
}

const NOTHING = /^0+$/;
/** Branches and tags that one push may change. */
export const MOST_REFS = 1000;
/** Each is released. */
export const MOST_BRANCHES = 100;

/**
 * One `git push`, from the hooks' requests to git's end. In `pre-receive` each pushed branch becomes a healthy release, or
 * the push is declined; in `post-receive` the releases go live. Nothing else releases the app between the two.
 */
export class Push implements HookAnswerer {
  private readonly out = new Output();
  private readonly interrupted = new AbortController();
  /** All of the push, with the exit status of `post-receive`. Rejects when it is declined. */
  private releasing = Promise.resolve(0);
  private readonly healthy = deferred<undefined>();
  /** Git has moved the branches, or has ended without. */
  private readonly gitIsThrough = deferred<undefined>();
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
      return this.report(error);
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
    this.gitIsThrough.resolve(undefined);
    await this.releasing.catch(() => undefined);
    await this.out.close();
  }

  private async preReceive(request: HookRequest): Promise<number> {
    const { repositoryPath, gitHome, settings } = this.options;
    const quarantine = readQuarantine(request.environment, repositoryPath);
    const repository = new Repository(repositoryPath, gitHome, quarantine);
    const updates = await branchUpdates(request.updates, repository);
    const skipGates = request.options.includes("skip-gates");
    if (skipGates && !settings.allowSkipGates) throw new AppError("push-skip-gates", {});
    if (updates.length === 0) return 0;
    this.releasing = this.release(updates, repository, { quarantine, skipGates });
    await Promise.race([this.healthy.promise, this.releasing]);
    this.isAccepted = true;
    return 0;
  }

  private async postReceive(request: HookRequest): Promise<number> {
    this.gitIsThrough.resolve(undefined);
    const status = await this.releasing.catch((error: unknown) => this.report(error));
    // After the branches that go live, for whom the app is held.
    for (const { ref, after } of request.updates) {
      const branch = branchOfRef(ref);
      if (branch !== undefined && NOTHING.test(after)) await this.branchDeleted(branch);
    }
    return status;
  }

  private report(error: unknown): number {
    const problem = toAppError(error);
    if (isAppError(problem, "internal"))
      this.options.log.error({ err: error, app: this.options.app }, "push");
    this.out.problem(problem);
    return 1;
  }

  /** A preview or a canary goes with its branch. Production does not: its branch may only have got another name. */
  private async branchDeleted(branch: string): Promise<void> {
    const { app, actor, onBranchDeleted } = this.options;
    if (fixedTrack(branch) !== PRODUCTION) await onBranchDeleted(app, branch, actor);
    else this.out.line(`production keeps running; \`sluice destroy ${app} --yes\` would remove it`);
  }

  private async release(
    updates: readonly BranchUpdate[],
    repository: Repository,
    options: { quarantine: Quarantine; skipGates: boolean },
  ): Promise<number> {
    const { app, actor, pipeline, settings } = this.options;
    const [first] = updates;
    const place = {
      app,
      what: updates.map(({ commit, branch }) => `${commit.slice(0, 10)} of ${branch}`)[0] ?? "",
      ...(first !== undefined && updates.length === 1 ? { push: first } : {}),
      signal: this.interrupted.signal,
      onWait: (ahead: string) => this.out.heading(`Waiting for ${ahead}`),
    };
    const outcomes = await pipeline.exclusively(place, async (signal) => {
      await this.refuseRemovedApp();
      for (const update of updates) await refuseMovedBranch(repository, update);
      return releaseBranches(pipeline, {
        orders: updates.map(({ branch, commit }) => ({
          ...{ app, commit, branch, ...actorOf(actor), source: "push" as const },
          ...options,
        })),
        out: this.out,
        isGated: settings.gates === "pre-receive",
        moveBranches: async (works) => this.movedByGit(works),
        signal,
      });
    });
    for (const outcome of outcomes) this.reportLost(outcome);
    return outcomes.some(({ problem }) => problem !== undefined) ? 1 : 0;
  }

  /** While it waited. A later push may have made the app again; what came with this one has gone with the repository. */
  private async refuseRemovedApp(): Promise<void> {
    const { app, removals, repositoryPath } = this.options;
    if (removals.hasSince(app, this.beganAt)) throw new AppError("push-app-removed", { app });
    await access(repositoryPath).catch((error: unknown) => {
      throw new AppError("push-app-removed", { app }, { cause: error });
    });
  }

  /** Lets git move the branches. Returns the releases whose branches it has moved. */
  private async movedByGit(works: readonly ReleaseWork[]): Promise<ReleaseWork[]> {
    this.healthy.resolve(undefined);
    await this.gitIsThrough.promise;
    const repository = new Repository(this.options.repositoryPath, this.options.gitHome);
    const heads = await Promise.all(works.map(async ({ record }) => repository.head(record.branch)));
    return works.filter(({ record }, index) => heads[index] === record.commit);
  }

  private reportLost({ record, problem }: BranchOutcome): void {
    if (problem === undefined) return;
    // Git has the branch already: the same push again would find nothing to do.
    const isLost = problem.retriable && !hasReached(record.phase, "live");
    const { branch } = record;
    this.out.problem(isLost ? new AppError("push-not-live", { branch, reason: problem.message }) : problem);
  }
}

/** Only branches and tags may be pushed, branches only to commits. Tags and deletions make no release. */
async function branchUpdates(updates: readonly RefUpdate[], repository: Repository): Promise<BranchUpdate[]> {
  if (updates.length > MOST_REFS) throw new AppError("push-too-many-refs", { what: "refs", most: MOST_REFS });
  const branches: BranchUpdate[] = [];
  for (const { ref, before, after } of updates) {
    if (/^refs\/tags\/[^\s]{1,100}$/.test(ref)) continue;
    const branch = branchOfRef(ref);
    if (branch === undefined) throw new AppError("push-ref-invalid", { ref });
    if (NOTHING.test(after)) continue;
    const type = await repository.typeOf(after);
    if (type !== "commit") throw new AppError("push-not-a-commit", { ref, type });
    branches.push({ branch, before, commit: after });
    if (branches.length > MOST_BRANCHES)
      throw new AppError("push-too-many-refs", { what: "branches", most: MOST_BRANCHES });
  }
  return branches;
}

/** After waiting, the branch may not be where the pusher saw it: git would refuse the update in the end. */
async function refuseMovedBranch(repository: Repository, { branch, before }: BranchUpdate): Promise<void> {
  const now = (await repository.head(branch)) ?? "0".repeat(before.length);
  if (now !== before) throw new AppError("push-branch-moved", { branch });
}
