import { AppError, toAppError } from "../../core/app-error.js";
import { releaseName } from "../../core/names.js";
import { PRODUCTION } from "../../core/records/route-table.js";
import { Repository } from "../git/repository.js";
import { Output } from "../pipeline/output.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { endTrack } from "../releases/end-track.js";
import { fixedTrack } from "../releases/track-of-branch.js";
import type { Tools } from "../tools.js";
import type { BranchResult } from "./delivery-record.js";
import { fetchBranch, fetchedRef, sourceHeads } from "./source.js";
import type { Webhook } from "./webhook-store.js";

export interface BranchOrder {
  readonly webhook: Webhook;
  readonly branch: string;
  /** Undefined: the branch is said to be gone. */
  readonly commit: string | undefined;
  readonly by: string;
  /** Releases also what serves already. */
  readonly isReplay: boolean;
  /** Why it is not wanted any more, if that is so; asked when its turn has come. */
  readonly superseded: () => Promise<string | undefined>;
}

/**
 * Does what a delivery asks for one branch. What the delivery said is not believed: the source is asked. Throws
 * `source-unreachable`, `commit-not-on-branch`, and whatever a release can fail with.
 */
export async function deployBranch(
  tools: Tools,
  pipeline: Pipeline,
  order: BranchOrder,
  signal: AbortSignal,
): Promise<BranchResult> {
  const { branch, commit } = order;
  return commit === undefined
    ? { branch, ...(await removeBranch(tools, order, signal)) }
    : { branch, commit, ...(await release(tools, pipeline, { ...order, commit }, signal)) };
}

type Outcome = Pick<BranchResult, "outcome" | "reason" | "release">;

async function release(
  tools: Tools,
  pipeline: Pipeline,
  order: BranchOrder & { readonly commit: string },
  signal: AbortSignal,
): Promise<Outcome> {
  const { webhook, branch, commit } = order;
  const { app } = webhook;
  const already = await servingRelease(tools, order);
  if (already !== undefined) return already;
  const repository = await repositoryOf(tools, app);
  const head = await fetchBranch(tools, webhook, branch, signal);
  if (head === undefined || !(await repository.reaches(fetchedRef(branch), commit)))
    throw new AppError("commit-not-on-branch", { branch, commit: commit.slice(0, 10) });
  const place = { app, what: `${commit.slice(0, 10)} of ${branch}`, push: { branch, commit }, signal };
  return pipeline.exclusively(place, async (stop) => {
    const reason = (await order.superseded()) ?? (await newerServes(repository, branch, { commit, head }));
    if (reason !== undefined) return { outcome: "superseded", reason };
    return (
      (await servingRelease(tools, order)) ?? {
        outcome: "released",
        release: await releaseNow(pipeline, order, stop),
      }
    );
  });
}

/** A delivery may have been overtaken: going back is only right when the source itself has gone back. */
async function newerServes(
  repository: Repository,
  branch: string,
  { commit, head }: { readonly commit: string; readonly head: string },
): Promise<string | undefined> {
  const ours = await repository.head(branch);
  if (commit === head || ours === undefined || ours === commit) return undefined;
  return (await repository.reaches(`refs/heads/${branch}`, commit))
    ? `${ours.slice(0, 10)}, which came later on ${branch}, was released already`
    : undefined;
}

/** As a push: our branch is what passed, and moves before the switch. */
async function releaseNow(
  pipeline: Pipeline,
  { webhook: { app }, branch, commit, by }: BranchOrder & { readonly commit: string },
  signal: AbortSignal,
): Promise<string> {
  const out = new Output();
  try {
    const work = await pipeline.begin(
      {
        app,
        commit,
        branch,
        by,
        source: "webhook",
        skipGates: false,
        quarantine: {},
      },
      out,
    );
    await pipeline.toHealthy(work, signal).catch((error: unknown) => {
      out.problem(toAppError(error));
      throw error;
    });
    await work.repository.setHead(branch, commit);
    await pipeline.toSettled(work, signal);
    return releaseName(work.record.number);
  } finally {
    await out.close();
  }
}

/** What serves need not be released again, unless that is what was asked for. */
async function servingRelease(
  tools: Tools,
  { webhook: { app }, branch, commit, isReplay }: BranchOrder,
): Promise<Outcome | undefined> {
  const track = await tools.branchTracks.find(app, branch);
  const number = track === undefined ? undefined : (await tools.routes.read(app)).tracks[track];
  const record = number === undefined ? undefined : await tools.releases.find(app, number);
  if (record === undefined || record.commit !== commit || isReplay) return undefined;
  const release = releaseName(record.number);
  return { outcome: "nothing", release, reason: `${release} is this commit` };
}

async function removeBranch(
  tools: Tools,
  { webhook, branch, by }: BranchOrder,
  signal: AbortSignal,
): Promise<Outcome> {
  if ((await sourceHeads(tools, webhook, signal)).has(branch))
    return { outcome: "nothing", reason: `${branch} is there still, or again` };
  await (await repositoryOf(tools, webhook.app)).removeHead(branch);
  if (fixedTrack(branch) === PRODUCTION) return { outcome: "nothing", reason: "production goes on as it is" };
  await endTrack(tools, webhook.app, branch, by);
  return { outcome: "deleted" };
}

async function repositoryOf({ home }: Tools, app: string): Promise<Repository> {
  await Repository.ensure(home.repository(app), home.gitHome());
  return new Repository(home.repository(app), home.gitHome());
}
