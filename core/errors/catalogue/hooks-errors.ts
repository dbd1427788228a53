import { entry } from "../catalogue-entry.js";

/** Hooks in a developer's clone. */
export const hooksErrors = {
  "hooks-no-repository": entry<{ directory: string; reason: string }>(
    400,
    ({ directory, reason }) => `${directory} is not in a Git clone with a working tree: ${reason}.`,
    () => "Run this command in your app's clone. `git init` or `git clone` creates one.",
  ),
  "hooks-name-taken": entry<{ hook: string; path: string }>(
    409,
    ({ hook, path }) =>
      `${hook} is not Sluice's hook, and it cannot be moved to ${path}: that file already exists.`,
    () => "Merge the two hooks into one of these files, remove the other, and run the command again.",
  ),
  "hooks-husky": entry<{ clone: string; hookSource: string }>(
    409,
    ({ clone }) =>
      `Husky manages the hooks of ${clone} and rewrites them at every npm install, so a hook installed there would be lost.`,
    ({ hookSource }) =>
      `Call ${hookSource} from .husky/pre-commit, or stop using Husky: \`git config --unset core.hooksPath\`.`,
  ),
} as const;
