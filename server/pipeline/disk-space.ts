import { rm, statfs } from "node:fs/promises";
import { AppError, toAppError } from "../../core/errors/app-error.js";
import { removeTree } from "../../core/files/remove-tree.js";
import { Ticker } from "../../core/loop/ticker.js";
import type { PipelineNeeds } from "./needs.js";

/** A fast disk takes some ten megabytes in this time, less than what must stay free. */
const CHECK_MS = 50;
const MEGABYTE = 1024 * 1024;
/** On a small disk the floor is a part of it. */
const FLOOR_SHARE = 0.1;
/** Inodes: a file system has a number of them, and each file takes one, however small it is. */
export const MIN_FREE_FILES = 5000;
const FILES_SHARE = 0.02;

export interface DiskSpace {
  readonly freeMegabytes: number;
  /** With less there are no releases: Redis must be able to write its log. */
  readonly neededMegabytes: number;
  /** Files that can still be made (inodes); 0 on a file system that has no number of them, where `neededFiles` is 0 too. */
  readonly freeFiles: number;
  readonly neededFiles: number;
  readonly isFull: boolean;
}

/** How many bytes of a disk must stay free. */
export function diskFloor(
  { limits }: Pick<PipelineNeeds["settings"], "limits">,
  { blocks, bsize }: { readonly blocks: number; readonly bsize: number },
): number {
  return Math.min(limits.minFreeMegabytes * MEGABYTE, blocks * bsize * FLOOR_SHARE);
}

/** Of the disk that the home is on. */
export async function diskSpace({
  home,
  settings,
}: Pick<PipelineNeeds, "home" | "settings">): Promise<DiskSpace> {
  const stats = await statfs(home.root);
  const { bavail, bsize, files, ffree } = stats;
  const floor = diskFloor(settings, stats);
  const neededFiles = Math.ceil(Math.min(MIN_FREE_FILES, files * FILES_SHARE));
  return {
    freeMegabytes: Math.floor((bavail * bsize) / MEGABYTE),
    neededMegabytes: Math.ceil(floor / MEGABYTE),
    freeFiles: ffree,
    neededFiles,
    isFull: bavail * bsize < floor || ffree < neededFiles,
  };
}

/** Throws `disk-full` when less is free than must stay free. */
export async function refuseFullDisk(tools: Pick<PipelineNeeds, "home" | "settings">): Promise<void> {
  const { isFull, ...space } = await diskSpace(tools);
  if (isFull) throw new AppError("disk-full", { path: tools.home.root, ...space });
}

/** Watches the disk during a release; `full` aborts before there is nothing left. */
export function watchDisk(tools: Pick<PipelineNeeds, "home" | "settings">): {
  readonly full: AbortSignal;
  stop(): void;
} {
  const full = new AbortController();
  const ticker = new Ticker({
    everyMs: CHECK_MS,
    job: async () => refuseFullDisk(tools),
    onError: (error) => full.abort(error),
  });
  ticker.start();
  return { full: full.signal, stop: () => void ticker.stop() };
}

/** What went wrong, in the end: on a full disk everything does. */
export async function unlessDiskIsFull(
  tools: Pick<PipelineNeeds, "home" | "settings">,
  error: AppError,
): Promise<AppError> {
  return refuseFullDisk(tools).then(
    () => error,
    (full: unknown) => toAppError(full),
  );
}

/** Instances are to be started: on a full disk they get the room that is kept for it. It is kept again when there is some. */
export async function giveReserve({
  home,
  settings,
  log,
}: Pick<PipelineNeeds, "home" | "settings" | "log">): Promise<void> {
  if (!(await diskSpace({ home, settings })).isFull) return;
  log.warn("the disk is full: the reserved space is freed to start instances");
  await rm(home.reserve(), { force: true });
}

/**
 * Removes what can be made again: what an app's builds downloaded, its dependencies' cache, and what BuildKit keeps for all apps.
 */
export async function makeRoom(
  { home, dockerfiles }: Pick<PipelineNeeds, "home" | "dockerfiles">,
  app: string,
): Promise<void> {
  for (const folder of [home.downloads(app), home.cache(app)]) await removeTree(folder);
  await dockerfiles?.emptyCache();
}
