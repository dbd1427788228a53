import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors/app-error.js";
import { describeExit, runCommand } from "../../../core/exec/exec.js";
import { atLowPriority } from "../../../core/exec/low-priority.js";
import { exists } from "../../../core/files/exists.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import type { Machine } from "../../machine.js";
import type { BuildOutput } from "../build-work.js";
import { aptSettings, aptSources } from "./apt-settings.js";
import type { LayerStore } from "./layers/layer-store.js";
import type { Layer } from "./layers/write-layer.js";

export interface BaseWork {
  readonly layers: LayerStore;
  readonly tools: Pick<Machine, "path" | "networkEnv" | "isRoot">;
  readonly out: BuildOutput;
  /** What every base has besides (`fleet.basePackages`). */
  readonly basePackages: readonly string[];
}

/** What a base has besides Debian's essential packages; `python` has Debian's python3 too. */
export type BaseVariant = "plain" | "python";

/** Raised when the same packages give another base. */
const RECIPE = 1;
/** For certificates, C++ programs such as Node.js, names of services and protocols, and times of all places. */
const PLAIN = ["ca-certificates", "libatomic1", "libstdc++6", "netbase", "tzdata"];
const PACKAGES = { plain: PLAIN, python: [...PLAIN, "python3"] };
/** What nobody reads in an image; dpkg(1), --path-exclude. */
const UNREAD = ["doc", "info", "man", "locale", "lintian", "bug", "bash-completion"];
/** A hook that joins /bin and /usr/bin itself: bookworm's package that does it would bring all of Perl. */
const MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr";
/** Debian asks for these to stay with the programs. */
const LICENSES = "/usr/share/doc/*/copyright";
/** What only installing needs, and what is this machine's. */
const LEFTOVERS = [
  ...["etc/apt", "var/lib/apt", "var/cache", "var/log", "var/backups"],
  ...["etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/dpkg/dpkg.cfg.d/99mmdebstrap"],
];
/** Programs expect them. */
const EMPTY = ["var/cache", "var/log"];
/** How apt and mmdebstrap say what went wrong. The first one is the cause of the others. */
const COMPLAINT = /^E: /;
const SHOWN_LINES = 3;

/**
 * The lowest layer of an image: Debian of this machine's release, from the packages that this machine's own apt would
 * install, without compiler, package manager and documentation. Made once, by mmdebstrap(1), in half a minute; only root can.
 * Throws `base-image-failed`.
 */
export async function baseLayer(work: BaseWork, variant: BaseVariant, signal: AbortSignal): Promise<Layer> {
  const { key, make } = await baseOf(work, variant);
  return work.out.alive("making the base image", work.layers.cached(key, make, signal));
}

/**
 * Makes those bases again that are older, so that the next releases have Debian's security updates. What was made of an
 * earlier one stays as it is. Throws `base-image-failed`.
 */
export async function renewBases(work: BaseWork, maxAgeMs: number, signal: AbortSignal): Promise<void> {
  for (const variant of ["plain", "python"] as const) {
    const { key, make } = await baseOf(work, variant);
    await work.layers.renew(key, maxAgeMs, make, signal);
  }
}

async function baseOf(
  work: BaseWork,
  variant: BaseVariant,
): Promise<{ key: string; make: (signal: AbortSignal) => Promise<Layer> }> {
  const release = releaseOf(await readFile("/etc/os-release", "utf8").catch(() => ""));
  const packages = [...PACKAGES[variant], ...work.basePackages];
  return {
    key: ["base", RECIPE, process.arch, release, ...packages].join(" "),
    make: async (signal) => {
      work.out.line(`making the base image, once: Debian ${release} with ${packages.join(", ")}`);
      return makeBase(work, release, packages, signal);
    },
  };
}

/** The name that Debian's archive knows a release by: `bookworm`. Pure. Throws `base-image-failed`. */
export function releaseOf(osRelease: string): string {
  const release = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(osRelease)?.[1];
  if (release !== undefined) return release;
  const reason = "there is no VERSION_CODENAME in it, so that this is no release of Debian";
  throw new AppError("base-image-failed", { command: "/etc/os-release", reason });
}

async function makeBase(
  { layers, tools, out }: BaseWork,
  release: string,
  packages: readonly string[],
  signal: AbortSignal,
): Promise<Layer> {
  if (!tools.isRoot) throw failure("Sluice does not run as root");
  const sources = await aptSources();
  if (sources.length === 0) throw failure("apt has no sources of packages on this machine");
  return layers.inScratch(async (scratch) => {
    const [root, settings] = [join(scratch, "root"), join(scratch, "apt.conf")];
    await mkdir(root);
    const settingsText = await aptSettings(tools.path).catch((error: unknown) => {
      throw failure(error instanceof Error ? error.message : String(error));
    });
    await writeFile(settings, settingsText, { mode: 0o600 });
    const hooks = (await exists(MERGED_USR)) ? [MERGED_USR] : [];
    const args = argumentsFor({ release, packages, sources, settings, hooks, root });
    await runMmdebstrap(tools, args, scratch, signal);
    for (const path of LEFTOVERS) await removeTree(join(root, path));
    for (const path of EMPTY) await mkdir(join(root, path));
    const layer = await layers.write({ folder: root, at: "", owner: "kept", modified: "kept" }, signal);
    out.line(`the base image has ${Math.round(layer.bytes / 1e6)} MB`);
    return layer;
  });
}

interface Recipe {
  readonly release: string;
  readonly packages: readonly string[];
  readonly sources: readonly string[];
  readonly settings: string;
  readonly hooks: readonly string[];
  readonly root: string;
}

function argumentsFor({ release, packages, sources, settings, hooks, root }: Recipe): string[] {
  return [
    ...["--mode=root", "--variant=essential", "--format=directory"],
    ...hooks.map((folder) => `--hook-dir=${folder}`),
    `--aptopt=${settings}`,
    ...UNREAD.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    `--dpkgopt=path-include=${LICENSES}`,
    `--include=${packages.join(",")}`,
    ...[release, root, ...sources],
  ];
}

async function runMmdebstrap(
  { path, networkEnv }: BaseWork["tools"],
  args: readonly string[],
  scratch: string,
  signal: AbortSignal,
): Promise<void> {
  const said: string[] = [];
  const complaints: string[] = [];
  // It calls programs that only root has on its PATH.
  const env = { ...networkEnv, PATH: `${path}:/usr/sbin:/sbin`, LC_ALL: "C.UTF-8", TMPDIR: scratch };
  // What it mounts in its root goes with it, however it ends.
  const argv = atLowPriority(["unshare", "--mount", "--propagation", "private", "mmdebstrap", ...args]);
  const exit = await runCommand(
    { argv, env, cwd: "/" },
    {
      signal,
      onLine: (line) => {
        said.push(line);
        if (COMPLAINT.test(line)) complaints.push(line);
      },
    },
  );
  if (exit.status === 0) return;
  const told = complaints.length > 0 ? complaints.slice(0, SHOWN_LINES) : said.slice(-SHOWN_LINES);
  throw failure(`${describeExit(exit)}: ${told.join("; ")}`);
}

function failure(reason: string): AppError {
  return new AppError("base-image-failed", { command: "mmdebstrap", reason });
}
