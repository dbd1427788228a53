import { entry } from "./catalogue-entry.js";

/** Hooks in a developer's clone. */
export const hooksErrors = {
  "hooks-no-repository": entry<{ directory: string; reason: string }>(
    400,
    ({ directory, reason }) => `${directory} is not in a Git clone with a working folder: ${reason}.`,
    () => "Run it in your app's clone; `git init` or `git clone` makes one.",
  ),
  "hooks-name-taken": entry<{ hook: string; path: string }>(
    409,
    ({ hook, path }) =>
      `${hook} is not Sluice's and cannot be moved to ${path}: there is a file of that name already.`,
    () => "Merge the two hooks into one of these files, remove the other, and run this again.",
  ),
  "hooks-husky": entry<{ clone: string; hookSource: string }>(
    409,
    ({ clone }) =>
      `Husky manages the hooks of ${clone} and writes them again at every npm install: a hook installed there would not last.`,
    ({ hookSource }) =>
      `Call ${hookSource} from .husky/pre-commit, or leave Husky with \`git config --unset core.hooksPath\`.`,
  ),
} as const;
