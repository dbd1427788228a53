import { actorOf, type Actor } from "../../../core/records/events/actor.js";
import { AppError, toAppError } from "../../../core/errors/app-error.js";
import { releaseName } from "../../../core/names.js";
import { PRODUCTION } from "../../../core/records/routes/route-table.js";
import type { Slots } from "../../../core/async/slots.js";
import { Repository } from "../../git/repository.js";
import { Output } from "../../pipeline/output.js";
import type { Pipeline } from "../../pipeline/pipeline.js";
import { releaseBranches } from "../../pipeline/release-branches.js";
import { endTrack } from "../../routes/end-track.js";
import { fixedTrack } from "../../routes/track-of-branch.js";
import type { WebhooksNeeds } from "../needs.js";
import type { BranchResult } from "./delivery-record.js";
import { fetchedRef, type Sources } from "../sources/source.js";
import type { Webhook } from "../webhook-store.js";

export interface BranchTools {
  readonly tools: WebhooksNeeds;
  readonly pipeline: Pipeline;
  readonly sources: Sources;
  /** One for each delivery that is being built. */
  readonly builds: Slots;
}

export interface BranchOrder extends Actor {
  readonly webhook: Webhook;
  readonly branch: string;
  /** Undefined: the branch is said to be gone. */
  readonly commit: string | undefined;
  /** Releases also what serves already. */
  readonly isReplay: boolean;
  /** The same came before: it must not bring back what a person has taken back since. */
  readonly isRepeated: boolean;
  /** Why it is not wanted any more, if that is so: a newer push, no app or webhook. Asked when its turn has come. */
  readonly superseded: () => Promise<string | undefined>;
}

/**
 * Does what a delivery asks for one branch. What the delivery said is not believed: the source is asked. Throws
 * `source-unreachable`, `commit-not-on-branch`, `branch-not-moved`, and whatever a release can fail with.
 */
export async function deployBranch(
  parts: BranchTools,
  order: BranchOrder,
  signal: AbortSignal,
): Promise<BranchResult> {
  const { branch, commit } = order;
  return commit === undefined
    ? { branch, ...(await removeBranch(parts, order, signal)) }
    : { branch, commit, ...(await release(parts, { ...order, commit }, signal)) };
}

type Outcome = Pick<BranchResult, "outcome" | "reason" | "release">;

async function release(
  { tools, pipeline, sources, builds }: BranchTools,
  order: BranchOrder & { readonly commit: string },
  signal: AbortSignal,
): Promise<Outcome> {
  const { webhook, branch, commit } = order;
  const { app } = webhook;
  const already = await servingRelease(tools, order);
  if (already !== undefined) return already;
  const repository = await repositoryOf(tools, app);
  const head = await sources.fetch(webhook, branch, signal);
  if (head === undefined || !(await repository.reaches(fetchedRef(branch), commit)))
    throw new AppError("commit-not-on-branch", { branch, commit: commit.slice(0, 10) });
  const place = { app, what: `${commit.slice(0, 10)} of ${branch}`, push: { branch, commit }, signal };
  // Before the turn: what waits for other apps' builds must not hold up the pushes of this one.
  const giveBack = await builds.take(signal);
  try {
    return await pipeline.exclusively(place, async (stop, locked): Promise<Outcome> => {
      const reason = (await order.superseded()) ?? (await newerServes(repository, order, head));
      if (reason !== undefined) return { outcome: "superseded", reason };
      const now = await servingRelease(tools, order);
      if (now !== undefined) return now;
      if (order.isRepeated && (await repository.head(branch)) === commit)
        return { outcome: "nothing", reason: "this came before, and its commit was released then" };
      for (const gone of await repository.headsInTheWayOf(branch))
        await endBranch(locked, repository, { ...order, branch: gone });
      return { outcome: "released", release: await releaseNow(pipeline, repository, order, stop) };
    });
  } finally {
    giveBack();
  }
}

/**
 * A delivery may have been overtaken, or be an old one that somebody sends again: what deploys is where the branch stands
 * at its source. A person may ask for another commit of the branch by a replay, but not for one that came before ours.
 */
async function newerServes(
  repository: Repository,
  { branch, commit, isReplay }: BranchOrder & { readonly commit: string },
  head: string,
): Promise<string | undefined> {
  if (commit === head) return undefined;
  if (!isReplay) return `${branch} is at ${head.slice(0, 10)} at its source by now`;
  const ours = await repository.head(branch);
  if (ours === undefined || ours === commit) return undefined;
  return (await repository.reaches(`refs/heads/${branch}`, commit))
    ? `${ours.slice(0, 10)}, a later commit on ${branch}, has already been released`
    : undefined;
}

/** As a push: our branch is what passed, and moves before the switch. */
async function releaseNow(
  pipeline: Pipeline,
  repository: Repository,
  { webhook: { app }, branch, commit, ...asked }: BranchOrder & { readonly commit: string },
  signal: AbortSignal,
): Promise<string> {
  const out = new Output();
  const order = {
    ...{ app, commit, branch, ...actorOf(asked) },
    source: "webhook" as const,
    skipGates: false,
    quarantine: {},
  };
  try {
    const [outcome] = await releaseBranches(pipeline, {
      ...{ orders: [order], out, isGated: true, signal },
      moveBranches: async (works) => {
        await repository.setHead(branch, commit).catch((error: unknown) => {
          throw new AppError("branch-not-moved", { branch, reason: firstLineOf(error) });
        });
        return works;
      },
    }).catch((error: unknown) => {
      out.problem(toAppError(error));
      throw error;
    });
    if (outcome?.problem !== undefined) throw outcome.problem;
    return releaseName(outcome?.record.number ?? 0);
  } finally {
    await out.close();
  }
}

/** What serves need not be released again, unless that is what was asked for. */
async function servingRelease(
  tools: WebhooksNeeds,
  { webhook: { app }, branch, commit, isReplay }: BranchOrder,
): Promise<Outcome | undefined> {
  const track = await tools.branchTracks.find(app, branch);
  const number = track === undefined ? undefined : (await tools.routes.read(app)).tracks[track];
  const record = number === undefined ? undefined : await tools.releases.find(app, number);
  if (record === undefined || record.commit !== commit || isReplay) return undefined;
  const release = releaseName(record.number);
  return { outcome: "nothing", release, reason: `${release} already has this commit` };
}

async function removeBranch(
  { tools, pipeline, sources }: BranchTools,
  order: BranchOrder,
  signal: AbortSignal,
): Promise<Outcome> {
  const { webhook, branch } = order;
  if ((await sources.heads(webhook, signal)).has(branch))
    return { outcome: "nothing", reason: `the source still has the branch ${branch}` };
  const place = { app: webhook.app, what: `the removal of ${branch}`, signal };
  return pipeline.exclusively(place, async (_signal, locked): Promise<Outcome> => {
    const reason = await order.superseded();
    if (reason !== undefined) return { outcome: "superseded", reason };
    return endBranch(locked, await repositoryOf(tools, webhook.app), order);
  });
}

/** A branch is gone at the source: it goes here, and so does its preview or canary. Production stays. */
async function endBranch(
  tools: Parameters<typeof endTrack>[0],
  repository: Repository,
  { webhook, branch, ...order }: Pick<BranchOrder, "webhook" | "branch" | "by" | "from">,
): Promise<Outcome> {
  await repository.removeHead(branch);
  await repository.removeRef(fetchedRef(branch));
  if (fixedTrack(branch) === PRODUCTION) return { outcome: "nothing", reason: "production keeps running" };
  await endTrack(tools, webhook.app, branch, actorOf(order));
  return { outcome: "deleted" };
}

async function repositoryOf({ home }: WebhooksNeeds, app: string): Promise<Repository> {
  await Repository.ensure(home.repository(app), home.gitHome());
  return new Repository(home.repository(app), home.gitHome());
}

function firstLineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? text;
}
