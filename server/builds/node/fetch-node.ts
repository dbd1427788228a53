import { join } from "node:path";
import semver from "semver";
import { askNpm, fetchPackage, type NpmTools } from "./fetch-package.js";

/** Node.js as a package without an install script; `bin/node` is in it, npm is not. */
const PACKAGE = `node-${process.platform}-${process.arch}`;
const SHORT_ANSWER = "--fetch-timeout=20000";

/** The highest version in `range` that the registry has. Throws `npm-registry-untrusted`, `npm-registry-failed`. */
export async function findNodeVersion(
  tools: NpmTools,
  range: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const question = ["view", `${PACKAGE}@${range}`, "version", SHORT_ANSWER];
  const answer = await askNpm(tools, tools.home.runtimes(), question, signal);
  if (answer === "") return undefined;
  const versions: unknown = JSON.parse(answer);
  return semver.maxSatisfying([versions].flat().map(String), range) ?? undefined;
}

/** Installs that version and returns its folder. Two releases may do so at once. */
export async function fetchNode(tools: NpmTools, version: string, signal: AbortSignal): Promise<string> {
  const folder = join(tools.home.runtimes(), version);
  await fetchPackage(tools, { name: PACKAGE, version, proof: "bin/node" }, folder, signal);
  return folder;
}
