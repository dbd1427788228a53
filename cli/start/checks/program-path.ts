import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";

/** HAProxy's among others; Debian gives them to root alone. */
const ADMIN_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

export interface ProgramPath {
  /** PATH of everything that Sluice runs, apps included. */
  readonly path: string;
  /** What is not part of it, because the apps' users cannot enter it. */
  readonly closed: string;
}

/**
 * PATH as Sluice uses it: with the folders of administrators' programs; without relative folders and without what
 * `npm start` puts in front (its own tools, which an app would take for its dependencies). As root also without folders
 * that only some users can enter: for a command that is nowhere, a shell that meets one says "Permission denied"
 * instead of "not found".
 */
export async function programPath(given: string | undefined, isRoot: boolean): Promise<ProgramPath> {
  const folders = [...(given ?? DEFAULT_PATH).split(":"), ...ADMIN_FOLDERS].filter(
    (folder) => isAbsolute(folder) && !folder.split("/").includes("node_modules"),
  );
  const open: string[] = [];
  const closed: string[] = [];
  for (const folder of new Set(folders)) {
    const isClosed = isRoot && (await closedFolderOf(folder)) !== undefined;
    (isClosed ? closed : open).push(folder);
  }
  return { path: open.join(":"), closed: closed.join(":") };
}

/** The first folder on the way to `path`, itself included, that others may not enter. Undefined also when there is no such path. */
export async function closedFolderOf(path: string): Promise<string | undefined> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return undefined;
  for (let folder = real; folder !== dirname(folder); folder = dirname(folder)) {
    const { mode } = await stat(folder);
    if ((mode & 0o001) === 0) return folder;
  }
  return undefined;
}
