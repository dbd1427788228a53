import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors/app-error.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { DependencyCache, type Variant } from "../dependency-cache.js";
import { installsAlone, type PackageJson } from "../manifest/package-json.js";
import type { BuildWork } from "../build-work.js";
import { buildZone } from "../build-zone.js";
import { builderOf } from "../../machine.js";
import { runBuildTask } from "../task.js";
import { copyTreeFile, LONGEST_LOCKFILE_BYTES, readTreeFile, treeFileDigest } from "../tree-file.js";
import { nodeVersionOf } from "./node-version.js";

/** How each package manager installs exactly what its lockfile says. */
const MANAGERS = [
  // Where both are, npm reads this one (npm-shrinkwrap.json in npm's manual).
  {
    lockfile: "npm-shrinkwrap.json",
    install: "npm ci --no-audit --no-fund",
    prune: "npm prune --omit=dev --no-audit --no-fund",
  },
  {
    lockfile: "package-lock.json",
    install: "npm ci --no-audit --no-fund",
    prune: "npm prune --omit=dev --no-audit --no-fund",
  },
  {
    lockfile: "pnpm-lock.yaml",
    install: "npm exec --yes pnpm -- install --frozen-lockfile --prod=false",
    prune: "npm exec --yes pnpm -- prune --prod",
  },
  {
    lockfile: "yarn.lock",
    install: "npm exec --yes yarn@1 -- install --frozen-lockfile --production=false",
    prune: undefined,
  },
] as const;

const CACHE_VERSION = "2";

/** Where one tree of a release gets its dependencies from. */
export interface NodeDependencies {
  /** The only one that npm may find: it would prefer another, which is no part of the key. */
  readonly lockfile: string | undefined;
  /** The command, for people. */
  readonly install: string;
  readonly prune: string | undefined;
  /** What went into them, as a digest; undefined when an installation cannot be shared. */
  readonly key: string | undefined;
  readonly hasDevelopment: boolean;
}

/** Undefined when there is nothing to install. */
export async function nodeDependencies(
  work: BuildWork,
  tree: string,
  packageJson: PackageJson,
): Promise<NodeDependencies | undefined> {
  const all = {
    ...packageJson.dependencies,
    ...packageJson.devDependencies,
    ...packageJson.optionalDependencies,
  };
  if (Object.keys(all).length === 0 && packageJson.workspaces === undefined) return undefined;
  const hasDevelopment = Object.keys(packageJson.devDependencies).length > 0;
  for (const { lockfile, install, prune } of MANAGERS) {
    const lock = await treeFileDigest(tree, lockfile, LONGEST_LOCKFILE_BYTES);
    if (lock === undefined) continue;
    const shared = install.startsWith("npm ci") && installsAlone(packageJson);
    return {
      lockfile,
      install,
      prune,
      hasDevelopment,
      key: shared ? await cacheKey(work, tree, packageJson, lock) : undefined,
    };
  }
  work.out.line("no lockfile: the installed versions may differ between pushes; commit a package-lock.json");
  return {
    lockfile: undefined,
    install: "npm install --no-audit --no-fund",
    prune: "npm prune --omit=dev --no-audit --no-fund",
    hasDevelopment,
    key: undefined,
  };
}

/** Gives a tree its `node_modules`: from the cache when nothing changed, else freshly installed. Answers which it was. */
export async function install(
  work: BuildWork,
  dependencies: NodeDependencies,
  tree: string,
  variant: Variant,
  signal: AbortSignal,
): Promise<"cached" | "installed"> {
  if (dependencies.key === undefined) {
    await run(work, dependencies.install, tree, signal);
    return "installed";
  }
  const { tools, app } = work;
  const cache = new DependencyCache(tools);
  const key = await zoneKey(work, dependencies.key, variant);
  const wasThere = await cache.has(app.name, key, variant);
  if (!wasThere) await fillCache(work, { dependencies, key, tree, variant }, signal);
  // What was committed there makes way, as it does for npm ci.
  await removeTree(join(tree, "node_modules"));
  await cache.take(app.name, key, variant, join(tree, "node_modules"), builderOf(app, tools));
  return wasThere ? "cached" : "installed";
}

/** The key of a set in the dependency cache. A preview may have production's; its own are never production's. */
export async function zoneKey(
  { tools, app, record }: BuildWork,
  key: string,
  variant: Variant,
): Promise<string> {
  const zone = buildZone(record);
  if (zone === "production" || (await new DependencyCache(tools).has(app.name, key, variant))) return key;
  return `${key}.${zone}`;
}

/** Runs an npm (yarn, pnpm) command of the release's. Throws `dependencies-failed`. */
export async function run(
  work: BuildWork,
  command: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const failure = await runBuildTask(work, { command, folder }, signal);
  if (failure !== undefined) throw new AppError("dependencies-failed", { command, status: failure });
}

/** Which copy of the dependencies a release runs with: a build may need all of them, and prunes afterwards. */
export function variantOfTree(dependencies: NodeDependencies, build: string | undefined): Variant {
  return build === undefined && dependencies.hasDevelopment ? "production" : "full";
}

interface Installation {
  readonly dependencies: NodeDependencies;
  readonly key: string;
  readonly tree: string;
  readonly variant: Variant;
}

async function fillCache(
  work: BuildWork,
  { dependencies, key, tree, variant }: Installation,
  signal: AbortSignal,
): Promise<void> {
  const { tools, app } = work;
  const { lockfile, install: command } = dependencies;
  const user = builderOf(app, tools);
  const cache = new DependencyCache(tools);
  const staging = await cache.staging(app.name, user);
  try {
    for (const name of ["package.json", ".npmrc", ...(lockfile === undefined ? [] : [lockfile])]) {
      await copyTreeFile(tree, name, join(staging, name), { most: LONGEST_LOCKFILE_BYTES, user });
    }
    await run(work, variant === "production" ? `${command} --omit=dev` : command, staging, signal);
    // npm makes none when there is nothing to install, as without the development dependencies.
    await mkdir(join(staging, "node_modules"), { recursive: true });
    await cache.put(app.name, key, variant, join(staging, "node_modules"));
  } finally {
    await cache.removeStaging(staging);
  }
}

async function cacheKey(
  work: BuildWork,
  tree: string,
  packageJson: PackageJson,
  lock: string,
): Promise<string> {
  const parts = [
    CACHE_VERSION,
    lock,
    JSON.stringify([packageJson.dependencies, packageJson.devDependencies, packageJson.optionalDependencies]),
    (await readTreeFile(tree, ".npmrc")) ?? "",
    await nodeVersionOf(work.record.artifact, work.tools.path),
    process.platform,
    process.arch,
  ];
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32);
}
