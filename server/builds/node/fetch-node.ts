import { access, mkdtemp, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import semver from "semver";
import { AppError } from "../../../core/errors/app-error.js";
import { captureCommand } from "../../../core/exec/exec.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import type { BuildsNeeds } from "../needs.js";
import { parseNpmFailure } from "./npm-failure.js";

/** Node.js as a package without an install script; `bin/node` is in it, npm is not. */
const PACKAGE = `node-${process.platform}-${process.arch}`;

/** npm's own settings let a registry that does not answer hold up a release for minutes. */
const FEW_RETRIES = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000"];
const SHORT_ANSWER = "--fetch-timeout=20000";

type NpmTools = Pick<BuildsNeeds, "home" | "path" | "networkEnv">;

/** The highest version in `range` that the registry has. Throws `npm-registry-untrusted`, `npm-registry-failed`. */
export async function findNodeVersion(
  tools: NpmTools,
  range: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const question = ["view", `${PACKAGE}@${range}`, "version", SHORT_ANSWER];
  const answer = await npm(tools, tools.home.runtimes(), question, signal);
  if (answer === "") return undefined;
  const versions: unknown = JSON.parse(answer);
  return semver.maxSatisfying([versions].flat().map(String), range) ?? undefined;
}

/** Installs that version and returns its folder. Two releases may do so at once. */
export async function fetchNode(tools: NpmTools, version: string, signal: AbortSignal): Promise<string> {
  const folder = join(tools.home.runtimes(), version);
  const staging = await mkdtemp(join(tools.home.runtimes(), ".fetch-"));
  try {
    // The root of a project of its own. With --prefix npm would no longer read this machine's npmrc.
    await writeFile(join(staging, "package.json"), "{}\n");
    const install = ["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"];
    await npm(tools, staging, [...install, "--ignore-scripts", `${PACKAGE}@${version}`], signal);
    const fetched = join(staging, "node_modules", PACKAGE);
    await rename(fetched, folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error;
    });
  } finally {
    await removeTree(staging);
  }
  return folder;
}

/** Runs npm and returns what it printed as JSON; nothing when there is no such version. */
async function npm(
  { home, path, networkEnv }: NpmTools,
  cwd: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { exit, stdout, stderr } = await captureCommand(
    {
      argv: ["npm", ...args, "--json", "--loglevel=error", ...FEW_RETRIES],
      env: { ...networkEnv, PATH: path, HOME: home.gitHome(), npm_config_update_notifier: "false" },
      cwd,
    },
    { signal },
  );
  if (exit.status === 0) return stdout.trim();
  const { kind, reason } = parseNpmFailure(stdout, stderr);
  if (kind === "version") return "";
  throw new AppError(kind === "certificate" ? "npm-registry-untrusted" : "npm-registry-failed", { reason });
}

async function isThere(folder: string): Promise<boolean> {
  return access(join(folder, "bin/node")).then(
    () => true,
    () => false,
  );
}
