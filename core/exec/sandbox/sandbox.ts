import { mkdir } from "node:fs/promises";
import type { User } from "../exec.js";
import { quote } from "../quote.js";
import { bind } from "./bind.js";
import { coverableFiles, namesInside, type InsideNames } from "./names-inside.js";
import type { SandboxPolicy } from "./sandbox-policy.js";
import { systemMounts, type MachineView } from "./system-mounts.js";

type Argv = readonly [string, ...string[]];

const MEGABYTE = 1024 * 1024;
/** Of the shell that starts bwrap; the next ones are those of `namesInside`. */
const FILTER_DESCRIPTOR = "7";

/**
 * Runs programs of apps apart from the machine (bwrap(1)): a view of the system for reading, their own folders, their own
 * processes, no privileges, none to be had. What one of them started ends with it.
 *
 * Whoever starts such a command gives it an environment of its own making: what is in there is read by programs that are not
 * in the sandbox yet. An app's variables belong in a script that is read inside (`scriptFor`).
 */
export class Sandbox {
  private constructor(
    private readonly system: readonly string[],
    /** Who runs the commands. */
    private readonly owner: User,
    /** An empty folder, over which the layers of changes are mounted. */
    private readonly scratch: string,
    private readonly coverable: ReadonlySet<string>,
    /** The file of the filter for system calls, where there is one for this machine. */
    private readonly filter: string | undefined,
  ) {}

  /** `filter`: a file with a `systemCallFilter`. */
  static async open(
    view: MachineView & {
      readonly owner: User;
      readonly scratch: string;
      readonly filter: string | undefined;
    },
  ): Promise<Sandbox> {
    const { owner, scratch, filter } = view;
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    return new Sandbox(await systemMounts(view), owner, scratch, await coverableFiles(), filter);
  }

  /**
   * The command that runs `argv` in a sandbox. TERM to its process group reaches the program alone; KILL ends all of it.
   * `diesWithParent`: so does the end of the process that starts it.
   */
  command(policy: SandboxPolicy, argv: Argv, { diesWithParent }: { readonly diesWithParent: boolean }): Argv {
    const { hostname, work, user = this.owner } = policy;
    const names = namesInside(user, { home: work.at, hostname }, this.coverable);
    const inside = this.bwrap(policy, argv, diesWithParent, names);
    // bwrap would end at once, and the program with it; the program itself does not ignore the signal.
    const filter = this.filter === undefined ? "" : `${FILTER_DESCRIPTOR}<${quote(this.filter)} `;
    const start = `trap '' TERM; exec ${inside.map(quote).join(" ")} ${filter}${names.input}\n`;
    if (policy.work.changes === "kept") return enter(policy, ["/bin/sh", "-c", start]);
    const mounts = `${this.mountChanges(policy)} && { ${start}}`;
    // Root's mounts need a namespace of their own; anybody else gets root's rights over one by being root in a user namespace.
    const own = this.isRoot ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
    return enter(policy, ["unshare", ...own, "--propagation", "private", "/bin/sh", "-c", mounts]);
  }

  private get isRoot(): boolean {
    return this.owner.uid === 0;
  }

  private bwrap(
    { user, hostname, work, mounts, scratchMegabytes }: SandboxPolicy,
    argv: Argv,
    diesWithParent: boolean,
    names: InsideNames,
  ): string[] {
    const size = ["--size", String(scratchMegabytes * MEGABYTE)];
    const from = work.changes === "kept" ? work.folder : `${this.scratch}/work`;
    const ids = this.isRoot
      ? []
      : ["--unshare-user", "--uid", String(this.owner.uid), "--gid", String(this.owner.gid)];
    return [
      "bwrap",
      ...ids,
      ...["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", hostname],
      ...(diesWithParent ? ["--die-with-parent"] : []),
      ...(this.filter === undefined ? [] : ["--seccomp", FILTER_DESCRIPTOR]),
      ...["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev"],
      ...["--perms", "1777", ...size, "--tmpfs", "/dev/shm"],
      // Before all others, some of which may lie in it.
      ...["--perms", "1777", ...size, "--tmpfs", "/tmp"],
      ...this.system,
      ...names.args,
      ...mounts.flatMap((mount) => bind(mount)),
      ...bind({ from, to: work.at, access: "write" }),
      ...["--chdir", work.at, "--remount-ro", "/", "--"],
      ...(user === undefined ? [] : dropTo(user)),
      ...["env", "--default-signal=TERM", ...argv],
    ];
  }

  /** The mounts are gone with the namespace that they are made in. */
  private mountChanges({ user, work, scratchMegabytes }: SandboxPolicy): string {
    const folder = quote(this.scratch);
    const owner = user === undefined ? "" : `chown ${user.uid}:${user.gid} upper && `;
    const layers = `lowerdir=${escapeOption(work.folder)},upperdir=upper,workdir=layer`;
    const lower = quote(work.folder);
    return [
      `{ [ -d ${lower} ] || { echo sluice: ${lower} "is gone" >&2; exit 1; }; }`,
      `mount -t tmpfs -o size=${scratchMegabytes}m,mode=700 tmpfs ${folder}`,
      `cd ${folder} && mkdir -m 755 upper layer work && ${owner}true`,
      `mount -t overlay -o ${quote(`${layers}${this.isRoot ? "" : ",userxattr"}`)} overlay work`,
    ].join(" && ");
  }
}

function enter({ network }: SandboxPolicy, argv: Argv): Argv {
  return network === undefined ? argv : ["nsenter", `--net=${network}`, "--", ...argv];
}

/** setpriv(1): bwrap has already set no_new_privs. */
function dropTo({ uid, gid }: { readonly uid: number; readonly gid: number }): string[] {
  return [
    ...["setpriv", "--reuid", String(uid), "--regid", String(gid), "--clear-groups"],
    ...["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"],
  ];
}

/** Kernel, filesystems/overlayfs: a colon separates layers, a comma options. */
function escapeOption(path: string): string {
  return path.replaceAll(/[\\:,]/g, "\\$&");
}
