import { entry, printable } from "../catalogue-entry.js";

/** Pushes and the releases they start. */
export const pushErrors = {
  "push-ref-invalid": entry<{ ref: string }>(
    400,
    ({ ref }) => `The ref ${printable(ref)} cannot be pushed here.`,
    () =>
      "Push a branch (git push REMOTE master) or a tag. A branch name has at most 100 characters: letters, digits and . _ / -",
  ),
  "push-not-a-commit": entry<{ ref: string; type: string }>(
    400,
    ({ ref, type }) => `${ref} points to a ${type}, not to a commit.`,
    () => "A branch must point to a commit: git push REMOTE HEAD:master.",
  ),
  "ssh-git-only": entry(
    400,
    () => "Over SSH, this server accepts only Git commands.",
    () =>
      "Push with git push ssh://git@HOST:PORT/APP master. For everything else, run `sluice` on the server.",
  ),
  "push-token-invalid": entry(
    401,
    () => "The password must be a Sluice token.",
    () => "Push to http://git:TOKEN@HOST/git/APP.git; `sluice tokens create NAME` creates a token.",
  ),
  "push-too-large": entry<{ megabytes: number }>(
    413,
    ({ megabytes }) => `The push is larger than the limit of ${megabytes} MB.`,
    () => "Remove large files from the commits (git rebase -i), or raise limits.pushMegabytes in sluice.yml.",
  ),
  "push-too-many-refs": entry<{ what: string; most: number }>(
    413,
    ({ what, most }) => `The push changes more than ${most} ${what}, the most at a time.`,
    () => "Push what should be released by name: git push REMOTE master.",
  ),
  "push-skip-gates": entry(
    403,
    () => "This server does not allow a push to skip the gates.",
    () => "Push without `-o skip-gates`; an admin can allow it with `allowSkipGates: true` in sluice.yml.",
  ),
  "push-branch-moved": entry<{ branch: string }>(
    409,
    ({ branch }) => `Another push changed ${branch} while this push was waiting.`,
    ({ branch }) => `Rebase onto it and push again: git pull --rebase REMOTE ${branch}`,
  ),
  "push-app-removed": entry<{ app: string }>(
    409,
    ({ app }) => `The app "${app}" was destroyed while this push was waiting.`,
    () => "Push again to create it again.",
    true,
  ),
  "push-superseded": entry<{ branch: string; commit: string }>(
    409,
    ({ branch, commit }) => `A newer push of ${branch} (${commit}) replaced this one while it was waiting.`,
    () => "Nothing to do: the newer push continues.",
  ),
  "push-not-live": entry<{ branch: string; reason: string }>(
    503,
    ({ branch, reason }) => `The push of ${branch} was accepted, but it is not live: ${reason}`,
    () => "What ran before keeps running. Once this is fixed: git commit --allow-empty -m again && git push",
    true,
  ),
  "push-interrupted": entry(
    499,
    () => "The push was interrupted before it was accepted; its release was undone.",
    () => "Nothing was changed. Push again when you are ready.",
    true,
  ),
  "server-stopping": entry(
    503,
    () => "The Sluice server is stopping.",
    () => "Nothing was changed. Push again in a moment.",
    true,
  ),
  "release-abandoned": entry<{ phase: string }>(
    503,
    ({ phase }) => `The server stopped while this release was in the phase ${phase}. The release was undone.`,
    () => "Push again: git commit --allow-empty -m retry && git push",
    true,
  ),
  "release-busy": entry<{ app: string; who: string; since: string }>(
    409,
    ({ app, who, since }) => `Another release of "${app}" is in progress (${who}, since ${since}).`,
    () => "Wait until it has finished, then try again.",
    true,
  ),
  "release-lock-lost": entry<{ app: string }>(
    503,
    ({ app }) => `The lock on "${app}" was lost: Redis was away too long, or another release has taken it.`,
    () => "What ran before keeps running. Try again; `sluice doctor` checks Redis.",
    true,
  ),
  "release-in-doubt": entry<{ app: string; release: string; reason: string }>(
    503,
    ({ app, release, reason }) => `It is not known yet whether ${release} of "${app}" is live: ${reason}`,
    ({ app }) =>
      `Once it is known, the release is finished or undone; \`sluice releases ${app}\` shows which.`,
  ),
} as const;
