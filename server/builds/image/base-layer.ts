import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors/app-error.js";
import { captureCommand } from "../../../core/exec/exec.js";
import type { BuildOutput } from "../build-work.js";
import type { BuildsNeeds } from "../needs.js";
import type { LayerStore } from "./layer-store.js";
import type { Layer } from "./write-layer.js";

export interface BaseOptions {
  /** Debian packages besides the few that every Debian has. */
  readonly packages: readonly string[];
  readonly signal: AbortSignal;
  readonly out: BuildOutput;
}

/** Raised when a base is made in another way. */
const VERSION = 1;
/** What nobody reads in an image, in the words of dpkg(1). */
const UNREAD = ["doc", "man", "info", "locale", "lintian", "bug"].map((name) => `/usr/share/${name}/*`);

/**
 * The lowest layer of images: a Debian of this machine's release without a package manager's lists and caches, and without
 * apt; made once, in half a minute, with mmdebstrap(1) from the packages that this machine's own apt uses. Throws
 * `base-image-failed`.
 */
export async function baseLayer(
  { isRoot, path, networkEnv }: Pick<BuildsNeeds, "isRoot" | "path" | "networkEnv">,
  layers: LayerStore,
  { packages, signal, out }: BaseOptions,
): Promise<Layer> {
  const release = await debianRelease();
  const all = [...new Set(packages)].sort();
  const key = ["base", VERSION, process.arch, release, ...all].join("\0");
  const make = async (stop: AbortSignal): Promise<Layer> => {
    if (!isRoot) throw new AppError("base-image-failed", { command: "mmdebstrap", reason: "it needs root" });
    out.line(`making the base image: Debian ${release} with ${all.join(", ")}`);
    return layers.inScratch(async (folder) => {
      const root = join(folder, "root");
      const excluded = UNREAD.map((pattern) => `--dpkgopt=path-exclude=${pattern}`);
      const options = ["--variant=essential", "--mode=root", "--quiet", `--include=${all.join(",")}`];
      const argv = ["mmdebstrap", ...options, ...excluded, release, root] as const;
      const made = captureCommand({ argv, env: { ...networkEnv, PATH: path }, cwd: "/" }, { signal: stop });
      const { exit, stderr } = await out.alive("mmdebstrap", made);
      if (exit.status !== 0) {
        const reason = stderr.trim().split("\n").slice(-3).join("; ");
        throw new AppError("base-image-failed", { command: "mmdebstrap", reason });
      }
      const source = { folder: root, at: "", except: new Set(["dev"]) };
      return layers.write({ ...source, owner: "kept", modified: "kept" }, stop);
    });
  };
  return layers.cached(key, make, signal);
}

async function debianRelease(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const release = /^VERSION_CODENAME="?(\w+)"?$/m.exec(text)?.[1];
  if (release !== undefined) return release;
  throw new AppError("base-image-failed", {
    command: "/etc/os-release",
    reason: "it does not say which Debian this is",
  });
}
