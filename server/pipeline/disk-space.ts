import { rm, statfs } from "node:fs/promises";
import { AppError, toAppError } from "../../core/app-error.js";
import type { Tools } from "../tools.js";

/** A fast disk takes some ten megabytes in this time, less than what must stay free. */
const CHECK_MS = 50;
const MEGABYTE = 1024 * 1024;
/** On a small disk the floor is a part of it. */
const FLOOR_SHARE = 0.1;

/** Throws `disk-full` when less is free than must stay free: Redis must be able to write its log. */
export async function refuseFullDisk(tools: Pick<Tools, "home" | "settings">): Promise<void> {
  const path = tools.home.root;
  const { bavail, blocks, bsize } = await statfs(path);
  const floor = Math.min(tools.settings.limits.minFreeMegabytes * MEGABYTE, blocks * bsize * FLOOR_SHARE);
  if (bavail * bsize >= floor) return;
  throw new AppError("disk-full", {
    path,
    freeMegabytes: Math.floor((bavail * bsize) / MEGABYTE),
    neededMegabytes: Math.ceil(floor / MEGABYTE),
  });
}

/** Watches the disk during a release; `full` aborts before there is nothing left. */
export function watchDisk(tools: Pick<Tools, "home" | "settings">): {
  readonly full: AbortSignal;
  stop(): void;
} {
  const full = new AbortController();
  const timer = setInterval(() => {
    refuseFullDisk(tools).catch((error: unknown) => full.abort(error));
  }, CHECK_MS);
  return { full: full.signal, stop: () => clearInterval(timer) };
}

/** What went wrong, in the end: on a full disk everything does. */
export async function unlessDiskIsFull(
  tools: Pick<Tools, "home" | "settings">,
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
}: Pick<Tools, "home" | "settings" | "log">): Promise<void> {
  const isFull = await refuseFullDisk({ home, settings }).then(
    () => false,
    () => true,
  );
  if (!isFull) return;
  log.warn("the disk is full: instances are started with the room kept for it");
  await rm(home.reserve(), { force: true });
}

/** Removes what an app has and can be made again: its builds' home and its dependencies' cache. */
export async function makeRoom({ home }: Pick<Tools, "home">, app: string): Promise<void> {
  for (const folder of [home.buildHome(app), home.cache(app)])
    await rm(folder, { recursive: true, force: true });
}
