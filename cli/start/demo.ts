import { cp, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { outputOf, runCommand } from "../../core/exec/exec.js";
import { quote } from "../../core/exec/quote.js";
import { AppError } from "../../core/errors/app-error.js";
import { appsSchema } from "../../core/api/apps/apps.js";
import { removeTree } from "../../core/files/remove-tree.js";
import { gitIn } from "../../server/git/git-in.js";
import { apiPath } from "../client/api-path.js";
import { Client } from "../client/client.js";
import type { Context } from "./context.js";

const APP = "hello";
const NOT_COPIED = new Set(["node_modules", "coverage", ".git"]);

/**
 * Pushes the sample app with a real `git push`, unless it is already running. Returns the folder of the clone it pushed from. When
 * `signal` aborts, the push is interrupted, and this rejects.
 */
export async function pushDemo(context: Context, token: string, signal: AbortSignal): Promise<string> {
  const clone = join(context.home.root, "demo", APP);
  if (await isLive(context)) return clone;
  const env = gitEnv(context);
  await removeTree(clone);
  await mkdir(clone, { recursive: true, mode: 0o700 });
  await cp(join(context.installation, "app"), clone, {
    recursive: true,
    filter: (source) => !NOT_COPIED.has(basename(source)),
  });
  const git = gitIn(clone, env, signal);
  await git.init(["--quiet", "--initial-branch=master"]);
  await git.addConfig("user.name", "Sluice demo");
  await git.addConfig("user.email", "demo@localhost");
  await git.addRemote("sluice", `http://demo@127.0.0.1:${context.settings.controlPort}/git/${APP}.git`);
  await keepToken(clone, token, env);
  await git.add("--all");
  await git.commit("The sample app", ["--quiet"]);
  context.print(`$ git push sluice master`);
  // Not by simple-git: the push is shown line by line, and what git has started for it ends with it.
  const exit = await runCommand(
    { argv: ["git", "-C", clone, "push", "sluice", "master"], env },
    { signal, onLine: (line) => context.print(line.replaceAll(token, "…")) },
  );
  if (exit.status !== 0)
    throw new AppError("internal", { reason: "the push of the sample app was declined (see above)" });
  return clone;
}

/** In a file of its own: in the remote's address it would stand in the command line of git's helpers at every push. */
async function keepToken(clone: string, token: string, env: Record<string, string>): Promise<void> {
  const file = join(clone, ".git/sluice-token");
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  // gitcredentials(7), "Custom helpers"
  const helper = `!f() { test "$1" = get && printf 'password=%s\\n' "$(cat ${quote(file)})"; }; f`;
  await outputOf({ argv: ["git", "-C", clone, "config", "credential.helper", helper], env });
}

async function isLive(context: Context): Promise<boolean> {
  const apps = await new Client(context).call("GET", apiPath("apps"), appsSchema);
  return apps.some(({ app, tracks }) => app === APP && tracks.length > 0);
}

/** Not the user's own settings: hooks, signing or a URL rewrite of theirs must not get in the way. */
function gitEnv({ path, home }: Context): Record<string, string> {
  return {
    PATH: path,
    HOME: home.gitHome(),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    LANG: "C.UTF-8",
  };
}
