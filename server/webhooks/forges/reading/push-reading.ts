import { branchNameProblem } from "./branch-name.js";
import type { Reading } from "../forge.js";

const BRANCHES = "refs/heads/";
const TAGS = "refs/tags/";
const MOST_REASONS = 5;

export interface PushedRef {
  /** In full: `refs/heads/x`. */
  readonly ref: string;
  /** Undefined: the ref was deleted. */
  readonly commit: string | undefined;
}

/** The branches among what was pushed. When there is none, nothing, with the reason for each ref. */
export function pushReading(refs: readonly PushedRef[]): Reading {
  const updates = refs.flatMap(({ ref, commit }) =>
    unreadable(ref) === undefined ? [{ branch: ref.slice(BRANCHES.length), commit }] : [],
  );
  if (updates.length > 0) return { kind: "push", updates };
  const reasons = new Set(refs.map(({ ref }) => unreadable(ref) ?? ""));
  return { kind: "nothing", why: [...reasons].slice(0, MOST_REASONS).join("; ") || "nothing was pushed" };
}

/** The reading of any event that is not a push. */
export function otherEvent(event: string): Reading {
  return { kind: "nothing", why: `the event ${event} deploys nothing` };
}

/** Why a ref is not a branch that can be deployed. Includes a name only when it is harmless. */
function unreadable(ref: string): string | undefined {
  if (ref.startsWith(TAGS)) {
    const tag = ref.slice(TAGS.length);
    return branchNameProblem(tag) === undefined ? `the tag ${tag} deploys nothing` : "a tag deploys nothing";
  }
  if (!ref.startsWith(BRANCHES)) return "a ref that is not a branch deploys nothing";
  const problem = branchNameProblem(ref.slice(BRANCHES.length));
  return problem === undefined ? undefined : `the branch's name cannot be used: ${problem}`;
}
