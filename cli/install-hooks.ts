import { randomBytes } from "node:crypto";
import { lstat, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../core/errors/app-error.js";
import { definedVariables } from "../core/exec/defined-variables.js";
import { captureCommand, describeExit } from "../core/exec/exec.js";

/**
 * Installs `hooks/pre-commit` into the clone around `directory`, in the folder Git itself looks in (the clone's own
 * from a worktree, `core.hooksPath` where it is set). A hook of somebody else's becomes `pre-commit.before-sluice`
 * beside it, which ours runs first. Can be repeated: should it die half-way, the next run ends what it began.
 *
 * @param options.hookSource absolute path of our hooks/pre-commit
 * @returns `chained` whether a hook of somebody else's is run first
 */
export async function installHooks(options: {
  directory: string;
  hookSource: string;
}): Promise<InstalledHook> {
  const hooksFolder = await findHooksFolder(options);
  const hook = path.join(hooksFolder, "pre-commit");
  const earlier = path.join(hooksFolder, "pre-commit.before-sluice");
  const ours = await readFile(options.hookSource, "utf8");

  const present = await identify(hook, ours);
  if (present !== "unchanged") {
    await mkdir(hooksFolder, { recursive: true });
    const temporary = await writeExecutable(`${hook}.${randomBytes(6).toString("hex")}.tmp`, ours);
    try {
      if (present === "foreign") await moveAside(hook, earlier);
      await rename(temporary, hook);
    } finally {
      await rm(temporary, { force: true });
    }
  }
  return {
    path: hook,
    chained: await isExecutable(earlier),
    state: present === "unchanged" ? "unchanged" : present === "outdated" ? "updated" : "installed",
  };
}

export interface InstalledHook {
  path: string;
  chained: boolean;
  state: "installed" | "updated" | "unchanged";
}

/** The line by which any version of our hook is known. */
const OUR_MARKER = /^# sluice-hook: pre-commit\r?$/m;

async function findHooksFolder({ directory, hookSource }: { directory: string; hookSource: string }) {
  const clone = await askGit(directory, "--show-toplevel");
  // Relative answers are relative to where Git was asked; a relative core.hooksPath means the clone's top.
  const folder = path.resolve(clone, await askGit(clone, "--git-path", "hooks"));
  if (path.basename(folder) === "_" && path.basename(path.dirname(folder)) === ".husky") {
    throw new AppError("hooks-husky", { clone, hookSource });
  }
  return folder;
}

async function askGit(directory: string, ...question: string[]): Promise<string> {
  const refused = (reason: string): AppError => new AppError("hooks-no-repository", { directory, reason });
  // The user's own environment, which may say where the repository is; simple-git would leave that out.
  const env = definedVariables(process.env);
  const { exit, stdout, stderr } = await captureCommand({
    argv: ["git", "-C", directory, "rev-parse", ...question],
    env,
  }).catch((error: unknown) => {
    throw refused(error instanceof Error ? error.message : "git failed");
  });
  if (exit.status !== 0) throw refused(stderr || `git failed (${describeExit(exit)})`);
  return stdout;
}

async function identify(hook: string, ours: string): Promise<"none" | "unchanged" | "outdated" | "foreign"> {
  if (!(await exists(hook))) return "none";
  // A link that leads nowhere is somebody else's too.
  const text = (await exists(hook, stat)) ? await readFile(hook, "utf8") : "";
  if (!OUR_MARKER.test(text)) return "foreign";
  return text === ours && (await isExecutable(hook)) ? "unchanged" : "outdated";
}

async function writeExecutable(file: string, text: string): Promise<string> {
  const handle = await open(file, "wx");
  try {
    await handle.writeFile(text);
    await handle.chmod(0o755); // whatever the umask is
    await handle.sync();
  } finally {
    await handle.close();
  }
  return file;
}

async function moveAside(hook: string, earlier: string): Promise<void> {
  if (await exists(earlier)) {
    throw new AppError("hooks-name-taken", { hook, path: earlier });
  }
  await rename(hook, earlier);
}

/** Git runs no other hooks, nor does ours. */
async function isExecutable(file: string): Promise<boolean> {
  return (await exists(file, stat)) && ((await stat(file)).mode & 0o111) !== 0;
}

/** @param look `lstat` sees a link itself, `stat` what it leads to */
async function exists(file: string, look: typeof lstat | typeof stat = lstat): Promise<boolean> {
  try {
    await look(file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
