import { execa } from "execa";
import { closeSync, openSync, writeSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../eventually.js";

const REFILL_MS = 10;
const UNMOUNT_MS = 20_000;

/** A file system of its own, as small as said; undefined where this user may not have one. */
export async function mountSmall(options: string): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-disk-"));
  await chmod(folder, 0o711);
  const { exitCode } = await execa("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], {
    reject: false,
  });
  if (exitCode === 0) return folder;
  await rm(folder, { recursive: true });
  return undefined;
}

/** What was ended a moment ago may still have it open. */
export async function unmount(folder: string): Promise<void> {
  await eventually(
    "nobody has it open",
    async () => (await execa("umount", [folder], { reject: false })).exitCode === 0,
    UNMOUNT_MS,
  );
  await rm(folder, { recursive: true });
}

/** Fills a disk to the last byte, and takes at once whatever is given back, until it is told to stop. */
export function keepFull(disk: string): { stop(): Promise<void> } {
  return fill(disk, REFILL_MS);
}

/** Fills a disk to the last byte, once. */
export function fillUp(disk: string): { stop(): Promise<void> } {
  return fill(disk, undefined);
}

function fill(disk: string, againMs: number | undefined): { stop(): Promise<void> } {
  const path = join(disk, "ballast");
  const file = openSync(path, "w");
  const write = (): void => {
    for (const bytes of [1 << 20, 4096, 1]) while (wasWritten(file, bytes));
  };
  write();
  const timer = againMs === undefined ? undefined : setInterval(write, againMs);
  return {
    stop: async () => {
      clearInterval(timer);
      closeSync(file);
      await rm(path);
    },
  };
}

function wasWritten(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes, 1)) === bytes;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}
