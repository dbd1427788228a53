import { access, mkdir, mkdtemp, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors/app-error.js";
import { captureCommand } from "../../../core/exec/exec.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import type { BuildsNeeds } from "../needs.js";
import { parseNpmFailure } from "./npm-failure.js";

export type NpmTools = Pick<BuildsNeeds, "home" | "path" | "networkEnv">;

/** npm's own settings let a registry that does not answer hold up a release for minutes. */
const FEW_RETRIES = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000"];

/**
 * Fetches a package without its dependencies' scripts and lays it into `folder`. `proof`: a file that it has. Two may do so at
 * once. Throws `npm-registry-untrusted`, `npm-registry-failed`.
 */
export async function fetchPackage(
  tools: NpmTools,
  { name, version, proof }: { readonly name: string; readonly version: string; readonly proof: string },
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(join(folder, ".."), { recursive: true });
  const staging = await mkdtemp(join(folder, "../.fetch-"));
  try {
    // The root of a project of its own. With --prefix npm would no longer read this machine's npmrc.
    await writeFile(join(staging, "package.json"), "{}\n");
    const install = ["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"];
    await askNpm(tools, staging, [...install, "--ignore-scripts", `${name}@${version}`], signal);
    await rename(join(staging, "node_modules", name), folder).catch(async (error: unknown) => {
      if (!(await isThere(join(folder, proof)))) throw error;
    });
  } finally {
    await removeTree(staging);
  }
}

/** Runs npm and returns what it printed as JSON; nothing when there is no such version. */
export async function askNpm(
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

export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
