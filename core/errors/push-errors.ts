import { entry, printable } from "./catalogue-entry.js";

/** A push, and its turn. */
export const pushErrors = {
  "push-ref-invalid": entry<{ ref: string }>(
    400,
    ({ ref }) => `The ref ${printable(ref)} cannot be pushed here.`,
    () =>
      "Push a branch (git push REMOTE master) or a tag; a branch's name is letters, digits and . _ / - and at most 100 long.",
  ),
  "push-not-a-commit": entry<{ ref: string; type: string }>(
    400,
    ({ ref, type }) => `${ref} was pushed as a ${type}, not as a commit.`,
    () => "A branch must point to a commit: git push REMOTE HEAD:master.",
  ),
  "ssh-git-only": entry(
    400,
    () => "Over SSH this server runs nothing but Git.",
    () =>
      "git push ssh://git@HOST:PORT/APP master; for the rest there is the `sluice` command on the server.",
  ),
  "push-token-invalid": entry(
    401,
    () => "The password must be a Sluice token.",
    () => "Push to http://git:TOKEN@HOST/git/APP.git; `sluice tokens create NAME` makes a token.",
  ),
  "push-too-large": entry<{ megabytes: number }>(
    413,
    ({ megabytes }) => `The push is larger than ${megabytes} MB, the limit here.`,
    () => "Take large files out of the commits (git rebase -i), or raise limits.pushMegabytes in sluice.yml.",
  ),
  "push-skip-gates": entry(
    403,
    () => "This server does not allow a push to skip the gates.",
    () => "Push without `-o skip-gates`; an admin can allow it with `allowSkipGates: true` in sluice.yml.",
  ),
  "push-branch-moved": entry<{ branch: string }>(
    409,
    ({ branch }) => `While this push waited, another push of ${branch} went through.`,
    ({ branch }) => `Bring it in and push again: git pull --rebase REMOTE ${branch}.`,
  ),
  "push-app-removed": entry<{ app: string }>(
    409,
    ({ app }) => `While this push waited, the app "${app}" was destroyed.`,
    () => "A new push makes it again.",
    true,
  ),
  "push-superseded": entry<{ branch: string; commit: string }>(
    409,
    ({ branch, commit }) => `A newer push of ${branch} (${commit}) took this one's place while it waited.`,
    () => "Nothing to do: the newer push carries on.",
  ),
  "push-not-live": entry<{ branch: string; reason: string }>(
    503,
    ({ branch, reason }) => `${branch} was taken, but is not live: ${reason}`,
    () => "What ran before goes on. When that is fixed: git commit --allow-empty -m again && git push.",
    true,
  ),
  "push-interrupted": entry(
    499,
    () => "The push was interrupted before it was accepted; its release was taken back.",
    () => "Push again when you like: nothing was changed.",
    true,
  ),
  "server-stopping": entry(
    503,
    () => "The Sluice server is stopping.",
    () => "Push again in a moment: nothing was changed.",
    true,
  ),
  "release-abandoned": entry<{ phase: string }>(
    503,
    ({ phase }) => `The server was stopped while this release was ${phase}; it was taken back.`,
    () => "Push again: git commit --allow-empty -m retry && git push.",
    true,
  ),
  "release-busy": entry<{ app: string; who: string; since: string }>(
    409,
    ({ app, who, since }) => `Another release of "${app}" is under way (${who}, since ${since}).`,
    () => "Wait until it is through and try again.",
    true,
  ),
  "release-lock-lost": entry<{ app: string }>(
    503,
    ({ app }) =>
      `This no longer has the right to release "${app}": Redis was away for too long, or somebody else has taken it.`,
    () => "What ran before goes on. Try again; `sluice doctor` tells how Redis is.",
    true,
  ),
  "release-in-doubt": entry<{ app: string; release: string; reason: string }>(
    503,
    ({ app, release, reason }) => `Redis has not said yet whether ${release} of "${app}" is live: ${reason}`,
    ({ app }) =>
      `As soon as it does, the release is finished or taken back; \`sluice releases ${app}\` shows which.`,
  ),
} as const;
