import { createHash, randomBytes } from "node:crypto";
import { appendFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { exists } from "../../core/files/exists.js";

/** Kept from one run to the next: a root takes a minute to make. */
export const CACHE = "/var/tmp/sluice-lab";
/** Raised when a root is made in another way. */
const VERSION = 3;
const PACKAGES = [
  ...["systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "iproute2", "iptables"],
  ...["ca-certificates", "git", "curl", "procps"],
];
/** Installed by apt-get afterwards: debootstrap fails to configure its dependency python3-cryptography. */
const CLOUD_INIT = "cloud-init";
/** By these a host reaches what this machine reaches, package registries above all. */
const NETWORK_FILES = ["etc/resolv.conf", "etc/hosts", "usr/etc/npmrc", "etc/npmrc"];
const NETWORK_FOLDERS = ["usr/local/share/ca-certificates", "etc/apt/apt.conf.d"];

/** Control groups of version 1 are for reading inside such a host; Docker and Sluice write them. */
const WRITABLE_GROUPS = `[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for group in /sys/fs/cgroup/*; do mount -o remount,rw,bind $group 2>/dev/null || true; done'
[Install]
WantedBy=sysinit.target
`;

/** A Debian of this machine's release that nobody has used, with these packages. Boots as the root of a `LabHost`. */
export interface BaseRoot {
  /** Or several, separated by colons, the uppermost first, as overlayfs expects them. */
  readonly folder: string;
  /** The private SSH key by which root is reached. */
  readonly key: string;
}

export async function baseRoot(packages: readonly string[] = []): Promise<BaseRoot> {
  const all = [...PACKAGES, ...packages].sort();
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "";
  const made = [VERSION, release, process.version, ...all].join("\n");
  const folder = join(CACHE, createHash("sha256").update(made).digest("hex").slice(0, 12));
  const key = await sshKey();
  if (!(await exists(folder))) await make(folder, release, all);
  return { folder, key };
}

async function make(folder: string, release: string, packages: readonly string[]): Promise<void> {
  const draft = `${folder}.${randomBytes(4).toString("hex")}`;
  try {
    const included = packages.filter((name) => name !== CLOUD_INIT).join(",");
    await execa("debootstrap", ["--variant=minbase", `--include=${included}`, release, draft]);
    await mkdir(join(draft, "root/.ssh"), { recursive: true, mode: 0o700 });
    await cp(`${await sshKey()}.pub`, join(draft, "root/.ssh/authorized_keys"));
    for (const path of [...NETWORK_FILES, ...NETWORK_FOLDERS])
      if (await exists(join("/", path))) await place(path, draft);
    await useOurSources(draft);
    await execa("chroot", [draft, "update-ca-certificates"]);
    await useOurNode(draft);
    if (packages.includes(CLOUD_INIT)) await installCloudInit(draft);
    // Each host gets one of its own when it boots first (machine-id(5)).
    await writeFile(join(draft, "etc/machine-id"), "");
    await rm(join(draft, "var/lib/dbus/machine-id"), { force: true });
    await writeFile(join(draft, "etc/systemd/system/writable-groups.service"), WRITABLE_GROUPS);
    await execa("chroot", [draft, "systemctl", "enable", "writable-groups.service"]);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Two labs may have made the same one.
    if (!(await exists(folder))) throw error;
  }
}

async function place(path: string, root: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await cp(join("/", path), join(root, path), { recursive: true, dereference: true });
}

async function useOurSources(root: string): Promise<void> {
  const folder = "etc/apt/sources.list.d";
  const files = await readdir(join("/", folder)).catch(() => []);
  for (const file of files.filter((name) => name.startsWith("debian"))) {
    await place(join(folder, file), root);
    await writeFile(join(root, "etc/apt/sources.list"), "");
  }
}

async function useOurNode(root: string): Promise<void> {
  await cp(process.execPath, join(root, "usr/bin/node"));
  const npm = join(dirname(process.execPath), "../lib/node_modules/npm");
  await cp(npm, join(root, "usr/lib/node_modules/npm"), { recursive: true, verbatimSymlinks: true });
  await execa("ln", ["-s", "../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/bin/npm")]);
  const certificates = "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt\n";
  await appendFile(join(root, "etc/environment"), certificates);
}

/** Disabled where nothing enables it: else it would search for the cloud that this machine may run in. */
async function installCloudInit(root: string): Promise<void> {
  const aptGet = async (...args: string[]): Promise<unknown> =>
    execa("chroot", [root, "apt-get", ...args], { env: { DEBIAN_FRONTEND: "noninteractive" } });
  await aptGet("update", "-q");
  await aptGet("install", "-qy", "--no-install-recommends", CLOUD_INIT);
  await writeFile(join(root, "etc/cloud/cloud-init.disabled"), "");
}

async function sshKey(): Promise<string> {
  await mkdir(CACHE, { recursive: true, mode: 0o711 });
  const key = join(CACHE, "id_ed25519");
  if (!(await exists(key))) await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  return key;
}
