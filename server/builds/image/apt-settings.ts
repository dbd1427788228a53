import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../core/exec/exec.js";

const APT = "/etc/apt";
/** A line that names packages' source, in either style of sources.list(5). */
const NAMES_PACKAGES = /^\s*(?:deb\s|Types:)/m;

/** The files that say where this machine gets its packages from: sources.list(5). */
export async function aptSources(): Promise<string[]> {
  const parts = await readdir(join(APT, "sources.list.d")).catch(() => []);
  const files = [
    join(APT, "sources.list"),
    ...parts
      .filter((name) => /\.(?:list|sources)$/.test(name))
      .sort()
      .map((name) => join(APT, "sources.list.d", name)),
  ];
  const texts = await Promise.all(files.map(async (file) => readFile(file, "utf8").catch(() => "")));
  return files.filter((_, index) => NAMES_PACKAGES.test(texts[index] ?? ""));
}

/**
 * How this machine's apt gets packages, as a file of apt.conf(5): proxies and certificates, passwords, and which source it
 * prefers. An apt that works on another root reads none of that by itself.
 */
export async function aptSettings(path: string): Promise<string> {
  const settings = await outputOf({ argv: ["apt-config", "dump"], env: { PATH: path, LC_ALL: "C" } });
  return ownSettings(settings);
}

/** Of `apt-config dump`, what does not depend on where the root is. Pure. */
export function ownSettings(dump: string): string {
  const acquire = dump
    .split("\n")
    .filter((line) => line.startsWith("Acquire::") && !line.startsWith("Acquire::IndexTargets"));
  const files = {
    netrc: "auth.conf",
    netrcparts: "auth.conf.d/",
    preferences: "preferences",
    preferencesparts: "preferences.d/",
  };
  const paths = Object.entries(files).map(([key, file]) => `Dir::Etc::${key} "${join(APT, file)}";`);
  return [...acquire, ...paths, ""].join("\n");
}
