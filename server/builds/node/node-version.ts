import { mkdir, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import semver from "semver";
import { AppError } from "../../../core/errors/app-error.js";
import { outputOf } from "../../../core/exec/exec.js";
import { nodeFolderOf, type Artifact } from "../../../core/records/releases/artifact.js";
import type { Manifest } from "../manifest/manifest.js";
import type { BuildWork } from "../build-work.js";
import { fetchNode, findNodeVersion } from "./fetch-node.js";

/** Names of "whatever is current" in .nvmrc and .node-version. */
const ANY = /^(?:node|stable|latest|current|lts|lts\/\*)$/;

/**
 * The folder of a Node.js that satisfies what the app asks for: undefined when the machine's own does. Others come from
 * the npm registry, once each. Throws `node-version-unknown`, `npm-registry-untrusted`, `npm-registry-failed`.
 */
export async function nodeFolderFor(
  work: NodeWork,
  manifest: Pick<Manifest, "nodeRange">,
  signal: AbortSignal,
): Promise<string | undefined> {
  const asked = manifest.nodeRange;
  if (asked === undefined || ANY.test(asked.range)) return undefined;
  const refuse = (reason: string): AppError => new AppError("node-version-unknown", { ...asked, reason });
  const range = semver.validRange(asked.range);
  if (range === null) throw refuse("this is not a version range");
  if (semver.satisfies(await hostNodeVersion(work.tools.path), range)) return undefined;
  const runtimes = work.tools.home.runtimes();
  await mkdir(runtimes, { recursive: true });
  const present = semver.maxSatisfying(await readdir(runtimes), range);
  if (present !== null) return join(runtimes, present, "bin");
  work.out.line(`fetching Node.js ${asked.range} (${asked.source})`);
  const version = await findNodeVersion(work.tools, range, signal);
  if (version === undefined) throw refuse("the npm registry has no such version");
  return join(await fetchNode(work.tools, version, signal), "bin");
}

/** The part of a release that is needed here. */
export interface NodeWork {
  readonly tools: Pick<BuildWork["tools"], "home" | "path" | "networkEnv">;
  readonly out: Pick<BuildWork["out"], "line">;
}

/**
 * `v22.1.0`: the version that an artifact runs with. A fetched Node.js is told by its folder's name, which its package's
 * version is: it came from a registry, and is nothing that root may run.
 */
export async function nodeVersionOf(artifact: Artifact, path: string): Promise<string> {
  const nodeFolder = nodeFolderOf(artifact);
  return nodeFolder === undefined ? hostNodeVersion(path) : `v${basename(dirname(nodeFolder))}`;
}

async function hostNodeVersion(path: string): Promise<string> {
  return (await outputOf({ argv: ["node", "--version"], env: { PATH: path } })).trim();
}
