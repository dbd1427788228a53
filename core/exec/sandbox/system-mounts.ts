import { access as accessFile, lstat, readlink, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { bind } from "./bind.js";
import type { Mount } from "./sandbox-policy.js";

/** The system's own folders, as far as there are any: programs, libraries, and what those need to know. */
const SYSTEM = [
  "/usr",
  "/etc",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/opt",
  "/nix",
  // Processors and memory. Other parts of /sys name other apps' control groups and networks.
  "/sys/devices/system",
  "/sys/kernel/mm",
];
const CACHES = ["/var/cache/fontconfig", "/var/lib/ca-certificates"];
/** What a program in `PREFIX/bin` is read with (hier(7)). */
const BESIDE_BIN = ["lib", "lib64", "libexec", "include"];

export interface MachineView {
  /** PATH of everything that Sluice runs. */
  readonly path: string;
  /** Variables that may name files: certificates, npm's settings. */
  readonly networkEnv: Readonly<Record<string, string>>;
  /** Other folders, as far as there are any. */
  readonly folders: readonly Mount[];
  /** The state folder, which stays hidden wherever it lies, but for `programs` in it. */
  readonly home: string;
  readonly programs: readonly string[];
}

/** Arguments of bwrap(1) by which every sandbox sees the same system. */
export async function systemMounts(view: MachineView): Promise<string[]> {
  const { path, networkEnv, folders, home, programs } = view;
  const seen: string[] = [];
  const args: string[] = [];
  const show = (folder: string): void => {
    if (isWithin(folder, seen)) return;
    seen.push(folder);
    args.push(...bind({ from: folder, access: "read" }));
  };
  for (const folder of SYSTEM) {
    const kind = await lstat(folder).catch(() => undefined);
    if (kind?.isSymbolicLink() === true) {
      seen.push(folder);
      args.push("--symlink", await readlink(folder), folder);
    } else if (kind?.isDirectory() === true) show(folder);
  }
  for (const folder of CACHES) if (await exists(folder)) show(folder);
  for (const folder of await foldersOfPath(path)) show(folder);
  // A resolver's or a distribution's file may lie elsewhere, behind a link.
  for (const file of ["/etc/resolv.conf", "/etc/localtime", ...pathsIn(networkEnv)]) {
    const real = await realpath(file).catch(() => undefined);
    if (real === undefined) continue;
    show(real);
    if (real !== file && !isWithin(file, seen)) show(file);
  }
  args.push("--dir", "/var", "--symlink", "../tmp", "/var/tmp", "--dir", "/run");
  for (const folder of folders) {
    args.push(...bind(folder, { ifThere: true }));
    seen.push(folder.to ?? folder.from);
  }
  if (isWithin(home, seen)) args.push("--tmpfs", home);
  for (const from of programs) args.push(...bind({ from, access: "read" }, { ifThere: true }));
  return args;
}

/** Folders of PATH that lie outside the system's own, with what their programs need. Never a whole home. */
async function foldersOfPath(path: string): Promise<string[]> {
  const folders: string[] = [];
  for (const folder of path.split(":").filter((entry) => isAbsolute(entry))) {
    const needed = [folder];
    if (basename(folder) === "bin") needed.push(...BESIDE_BIN.map((name) => join(dirname(folder), name)));
    for (const each of needed) if (await exists(each)) folders.push(each);
  }
  return folders;
}

function pathsIn(env: Readonly<Record<string, string>>): string[] {
  return Object.values(env).filter((value) => isAbsolute(value) && !value.includes(":"));
}

function isWithin(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

async function exists(path: string): Promise<boolean> {
  return accessFile(path).then(
    () => true,
    () => false,
  );
}
