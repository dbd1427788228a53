import { simpleGit, type SimpleGit } from "simple-git";

/**
 * Git in a folder that is there, with `env` as its whole environment. simple-git passes on variables that steer git only if
 * they are named.
 *
 * @param abort ends the git process that runs, and whatever is asked of it afterwards; not what that process has started
 */
export function gitIn(folder: string, env: Readonly<Record<string, string>>, abort?: AbortSignal): SimpleGit {
  return simpleGit({
    baseDir: folder,
    allowEnvironment: Object.keys(env),
    ...(abort === undefined ? {} : { abort }),
  }).env(env);
}
