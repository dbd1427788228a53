import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../../../core/errors/app-error.js";
import { serviceState } from "../../../core/exec/runsv.js";
import type { Context } from "../context.js";
import { findProgram } from "./find-program.js";
import { isServedByUs } from "./https-port.js";
import { checkPort } from "./port-check.js";
import { closedFolderOf } from "./program-path.js";
import type { Role } from "../roles/role.js";

/** Sockets lie in the state folder, and a Unix socket's path has 108 bytes (unix(7)). */
const LONGEST_HOME = 70;

type Programs = ReadonlyMap<string, string>;

/** Program → the Debian package it comes with. */
export const PROGRAMS: Programs = new Map([
  ["git", "git"],
  ["haproxy", "haproxy"],
  ["redis-server", "redis-server"],
  ["runsv", "runit"],
  ["svlogd", "runit"],
  ["chpst", "runit"],
  ["bwrap", "bubblewrap"],
  ["nft", "nftables"],
  ["ip", "iproute2"],
  ["node", "nodejs"],
  ["npm", "npm"],
  ["tar", "tar"],
  ["prlimit", "util-linux"],
  ["bash", "bash"],
]);

/** What a host needs that has no server. */
const OF_ROLES: Readonly<Record<Exclude<Role, "server">, readonly string[]>> = {
  proxy: ["haproxy", "runsv", "svlogd", "chpst", "prlimit"],
  redis: ["redis-server", "runsv", "svlogd", "chpst"],
  monitor: [],
};

/** What some roles need. */
export function programsOf(roles: readonly Role[]): Programs {
  const needed = roles.flatMap((role) => (role === "server" ? [...PROGRAMS.keys()] : OF_ROLES[role]));
  return new Map([...PROGRAMS].filter(([program]) => needed.includes(program)));
}

type ProgramContext = Pick<Context, "path" | "closedPath" | "isRoot">;

/** Throws `program-missing` with the command that installs what is not there, `program-closed` when apps cannot reach it. */
export async function checkPrograms(context: ProgramContext, needed: Programs = PROGRAMS): Promise<void> {
  const missing = await missingPrograms(context, needed);
  if (missing.length === 0) return;
  throw new AppError("program-missing", { programs: missing, packages: packagesOf(missing, needed) });
}

/** The Debian packages that programs come with. */
export function packagesOf(programs: readonly string[], among: Programs): string[] {
  return [...new Set(programs.map((program) => among.get(program) ?? program))];
}

/** Those that are not there. Throws `program-closed`. */
export async function missingPrograms(
  { path, closedPath, isRoot }: ProgramContext,
  needed: Programs,
): Promise<string[]> {
  const missing: string[] = [];
  for (const program of needed.keys()) {
    const open = await findProgram(program, path);
    const file = open ?? (await findProgram(program, closedPath));
    // One in an open folder may be a link to another.
    const folder = file !== undefined && isRoot ? await closedFolderOf(open ?? dirname(file)) : undefined;
    if (file !== undefined && folder !== undefined) throw new AppError("program-closed", { file, folder });
    if (file === undefined) missing.push(program);
  }
  return missing;
}

/** Makes the state folder. Throws `home-unwritable`, `home-unreachable`, `home-path-too-long`. */
export async function checkHome({ home, isRoot }: Context): Promise<void> {
  if (home.root.length > LONGEST_HOME)
    throw new AppError("home-path-too-long", { home: home.root, limit: LONGEST_HOME });
  try {
    // Others may pass through, to reach what is theirs, but not look.
    await mkdir(home.root, { recursive: true, mode: 0o711 });
    await access(home.root, constants.W_OK | constants.X_OK);
    await mkdir(home.apps(), { recursive: true, mode: 0o711 });
    await mkdir(home.gitHome(), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new AppError(
      "home-unwritable",
      { home: home.root, reason: error instanceof Error ? error.message : String(error) },
      { cause: error },
    );
  }
  if (isRoot) await checkReachable(home.root);
}

/** Apps' users must be able to pass through every folder on the way. */
async function checkReachable(home: string): Promise<void> {
  const folder = await closedFolderOf(home);
  if (folder !== undefined) throw new AppError("home-unreachable", { home, folder });
}

/**
 * `settings`: with the port of https that is used. Throws `port-taken`, `port-forbidden`, `port-unusable`. Ours may be taken by
 * our own HAProxy, which runs on while the server is away.
 */
export async function checkPorts({ home, settings, path }: Context, roles: readonly Role[]): Promise<void> {
  const { bind, controlBind, sshBind = controlBind } = settings;
  const { httpPort, httpsPort = 0, controlPort, sshPort } = settings;
  const haproxy = { name: "haproxy", path };
  if (roles.includes("proxy")) {
    const isOurs = (await serviceState(home.service("haproxy"))).pid !== undefined;
    const [http, https] = [
      { bind, port: httpPort, what: "traffic", setting: "SLUICE_HTTP_PORT" },
      { bind, port: httpsPort, what: "traffic, https", setting: "SLUICE_HTTPS_PORT" },
    ];
    if (!isOurs) await checkPort(http, haproxy);
    if (httpsPort !== 0 && !(await isServedByUs(home, httpsPort))) await checkPort(https, haproxy);
  }
  if (!roles.includes("server")) return;
  for (const port of [
    { bind: controlBind, port: controlPort, what: "control", setting: "SLUICE_CONTROL_PORT" },
    { bind: sshBind, port: sshPort, what: "Git over SSH", setting: "SLUICE_SSH_PORT" },
  ])
    await checkPort(port);
}
