import { constants } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../clock.js";
import { endGroup } from "./exec.js";
import { groupEnd } from "./process-group.js";
import { startDetached } from "./start-detached.js";

/**
 * One service folder under its own `runsv` (runit): it outlives whoever started it, restarts what dies, and is steered
 * over the FIFO `supervise/control`. See runsv(8); the layout of `supervise/status` is daemontools' plus two bytes.
 */
export interface ServiceState {
  /** Whether a `runsv` watches the folder. */
  readonly supervised: boolean;
  /** The service's process, which leads a process group; undefined while it is down. */
  readonly pid: number | undefined;
  /** When that process was started (or went down), ms since 1970. */
  readonly since: number;
}

const POLL_MS = 10;
/** What takes long to end is looked at less and less often: an end is noticed late by a fifth of what it took at most. */
const PAUSE_GROWTH = 1.2;
const LONGEST_PAUSE_MS = 200;
const TAI_OFFSET_SECONDS = 2n ** 62n + 10n;

/** Starts `runsv` on a folder; it can be steered then. Does nothing when one is there already: runsv itself holds the lock. */
export async function supervise(folder: string, env: Readonly<Record<string, string>>): Promise<void> {
  if (await isSupervised(folder)) return;
  const runsv = await startDetached({ argv: ["runsv", folder], env });
  while (!(await isSupervised(folder))) {
    if (runsv.exitCode !== null)
      throw new Error(`runsv ended immediately in ${folder}: status ${runsv.exitCode}`);
    await systemClock.sleep(POLL_MS);
  }
}

export async function serviceState(folder: string): Promise<ServiceState> {
  const down: ServiceState = { supervised: false, pid: undefined, since: 0 };
  if (!(await isSupervised(folder))) return down;
  const status = await readFile(join(folder, "supervise/status")).catch(() => undefined);
  return status === undefined ? { ...down, supervised: true } : { supervised: true, ...parseStatus(status) };
}

/** 20 bytes: TAI64N label, pid (little endian), paused, wanted, got TERM, state (0 down, 1 run, 2 finish). */
export function parseStatus(status: Buffer): { pid: number | undefined; since: number } {
  if (status.length < 20) return { pid: undefined, since: 0 };
  const seconds = Number(status.readBigUInt64BE(0) - TAI_OFFSET_SECONDS);
  const pid = status.readUInt32LE(12);
  return {
    pid: pid > 0 && status[19] === 1 ? pid : undefined,
    since: seconds * 1000 + status.readUInt32BE(8) / 1e6,
  };
}

/**
 * Ends a service and its `runsv`: TERM to the process group (the folder's `control/t` does that), `graceMs` for all of its
 * processes, then KILL. Resolves when all are gone; does nothing when they are.
 */
export async function endService(folder: string, graceMs: number): Promise<void> {
  const killAt = Date.now() + graceMs;
  // Run when the leader ends, it would take the others along; and after a short one runsv sleeps for a second.
  await rm(join(folder, "finish"), { force: true });
  let group: number | undefined;
  let asked = false;
  let pauseMs = POLL_MS;
  while (await isSupervised(folder)) {
    group = (await serviceState(folder)).pid ?? group;
    asked ||= await control(folder, "x");
    if (Date.now() >= killAt) await kill(folder, group);
    await systemClock.sleep(pauseMs);
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * PAUSE_GROWTH, Math.max(POLL_MS, killAt - Date.now()));
  }
  if (group !== undefined) await groupEnd(group, killAt);
}

/** Ends the process `pid` of a service (TERM, `graceMs`, KILL); its `runsv` starts another. Resolves when it is gone. */
export async function restartService(folder: string, pid: number, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs;
  await control(folder, "t");
  while ((await serviceState(folder)).pid === pid) {
    if (Date.now() >= deadline) await control(folder, "k");
    await systemClock.sleep(POLL_MS);
  }
}

/** Also the log's process, which `runsv` waits for: it reads until the last of them, in whatever group, has closed it. */
async function kill(folder: string, group: number | undefined): Promise<void> {
  endGroup(group, "SIGKILL");
  await control(folder, "k");
  await control(join(folder, "log"), "k");
}

/** Sends one control character (runsv(8): u, d, t, h, 2, x …). False when no `runsv` listens. */
export async function control(folder: string, character: string): Promise<boolean> {
  const fifo = await openFifo(join(folder, "supervise/control"));
  if (fifo === undefined) return false;
  try {
    await fifo.write(character);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return false;
    throw error;
  } finally {
    await fifo.close();
  }
}

/** `runsv` keeps `supervise/ok` open for reading as long as it lives. */
export async function isSupervised(folder: string): Promise<boolean> {
  const fifo = await openFifo(join(folder, "supervise/ok"));
  await fifo?.close();
  return fifo !== undefined;
}

async function openFifo(path: string): Promise<Awaited<ReturnType<typeof open>> | undefined> {
  try {
    return await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENXIO" || error.code === "ENOENT"))
      return undefined;
    throw error;
  }
}
