import { readFile, writeFile } from "node:fs/promises";
import { AppError } from "../../core/errors/app-error.js";
import { captureCommand } from "../../core/exec/exec.js";
import { Sandbox } from "../../core/exec/sandbox/sandbox.js";
import { systemCallFilter } from "../../core/exec/sandbox/system-call-filter.js";
import type { Mount } from "../../core/exec/sandbox/sandbox-policy.js";
import { writeFileAtomically } from "../../core/files/atomic-file.js";
import type { Home } from "../../core/home.js";
import type { Settings } from "../../core/settings/settings.js";
import type { Context } from "./context.js";

const PROTECTED_SYMLINKS = "/proc/sys/fs/protected_symlinks";

/** What apps' programs run in. Throws `sandbox-unavailable` where this machine lets nobody make one. */
export async function openSandbox(
  context: Pick<Context, "home" | "settings" | "isRoot" | "path" | "networkEnv">,
): Promise<Sandbox> {
  const { home, settings, isRoot, path, networkEnv } = context;
  if (isRoot) await protectLinks();
  const sandbox = await Sandbox.open({
    ...{ path, networkEnv },
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    home: home.root,
    // Node.js versions that apps asked for.
    programs: [home.runtimes()],
    folders: settings.sandbox.folders.map(asMount),
    scratch: home.scratch(),
    filter: await writtenFilter(home),
  });
  const { firstUid } = settings.instances;
  const policy = {
    hostname: "sluice",
    work: { folder: "/usr", at: "/app", changes: "lost" as const },
    mounts: [],
    scratchMegabytes: 1,
    ...(isRoot ? { user: { uid: firstUid, gid: firstUid } } : {}),
  };
  const argv = sandbox.command(policy, ["/bin/true"], { diesWithParent: true });
  const { exit, stderr } = await captureCommand({ argv, cwd: "/", env: { PATH: path } });
  if (exit.status === 0) return sandbox;
  throw new AppError("sandbox-unavailable", { isRoot, reason: stderr.split("\n").at(-1) ?? "" });
}

/** The file of the filter of system calls; undefined where there is none for this machine. */
async function writtenFilter(home: Home): Promise<string | undefined> {
  const filter = systemCallFilter();
  if (filter === undefined) return undefined;
  await writeFileAtomically(home.systemCallFilter(), filter);
  return home.systemCallFilter();
}

/**
 * Debian and Ubuntu have it on. Without it, the proxy would follow a link that an app puts in the place of its socket. Throws
 * `sandbox-unavailable`.
 */
async function protectLinks(): Promise<void> {
  if ((await readFile(PROTECTED_SYMLINKS, "utf8")).trim() === "1") return;
  await writeFile(PROTECTED_SYMLINKS, "1").catch((error: unknown) => {
    throw new AppError(
      "sandbox-unavailable",
      { isRoot: true, reason: "fs.protected_symlinks is off, and cannot be turned on" },
      { cause: error },
    );
  });
}

function asMount({ path, access }: Settings["sandbox"]["folders"][number]): Mount {
  return { from: path, access };
}
