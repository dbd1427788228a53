import { AppError, toAppError } from "../../core/errors/app-error.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";
import { Repository } from "../git/repository.js";
import type { Output } from "./output.js";
import type { Pipeline, ReleaseOrder } from "./pipeline.js";
import type { ReleaseWork } from "./step.js";

export interface BranchReleases {
  readonly orders: readonly ReleaseOrder[];
  readonly out: Output;
  /** False: every commit is accepted, and gates and checks come after the branches have moved. */
  readonly isGated: boolean;
  /** Moves the branches of healthy releases, or waits until git has. Returns the releases whose branches have moved. */
  readonly moveBranches: (works: readonly ReleaseWork[]) => Promise<readonly ReleaseWork[]>;
  readonly signal: AbortSignal;
}

/** How a release ended whose branch has moved. */
export interface BranchOutcome {
  readonly record: ReleaseRecord;
  /** Why it is not live, or not settled. */
  readonly problem?: AppError;
}

/**
 * Releases pushed branches of one app: every commit becomes a healthy release, the branches move, the releases go live. A
 * failure until the branches move takes everything back and is thrown. Only within `exclusively`.
 */
export async function releaseBranches(
  pipeline: Pipeline,
  releases: BranchReleases,
): Promise<BranchOutcome[]> {
  const { orders, out, isGated, moveBranches, signal } = releases;
  const works: ReleaseWork[] = [];
  const moved: ReleaseWork[] = [];
  try {
    for (const order of orders) {
      const work = await pipeline.begin(order, out);
      works.push(work);
      if (isGated) await pipeline.toHealthy(work, signal);
    }
    moved.push(...(await moveBranches(works)));
  } catch (error) {
    await takeBack(pipeline, works, toAppError(error));
    throw error;
  }
  const left = works.filter((work) => !moved.includes(work));
  await takeBack(pipeline, left, new AppError("push-interrupted", {}));
  const outcomes: BranchOutcome[] = [];
  for (const work of moved) outcomes.push(await goLive(pipeline, work, signal));
  return outcomes;
}

async function goLive(pipeline: Pipeline, work: ReleaseWork, signal: AbortSignal): Promise<BranchOutcome> {
  const { home } = work.tools;
  // The commit has left git's quarantine.
  const repository = new Repository(home.repository(work.app.name), home.gitHome());
  const moved = { ...work, repository };
  return pipeline.toSettled(moved, signal).then(
    () => ({ record: moved.record }),
    (error: unknown) => ({ record: moved.record, problem: toAppError(error) }),
  );
}

/** What cannot be undone while Redis is away is undone later; the reason is what the pusher must know. */
async function takeBack(pipeline: Pipeline, works: readonly ReleaseWork[], error: AppError): Promise<void> {
  for (const work of works.filter(({ record }) => record.phase !== "failed")) {
    await pipeline.undo(work, error).catch((problem: unknown) => {
      work.tools.log.warn({ err: problem, app: work.app.name }, "a release was not undone yet");
    });
  }
}
