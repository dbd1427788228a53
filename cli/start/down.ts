import { readdir } from "node:fs/promises";
import { systemClock } from "../../core/clock.js";
import { endService, isSupervised } from "../../core/exec/runsv.js";
import { memoryLimiter } from "../../server/engines/runit/memory-limit.js";
import type { Context } from "./context.js";
import { leaveProxies } from "./services/leave-proxies.js";
import { runningServer } from "./server-lock.js";
import { SERVICE_GRACE_MS, SERVICES } from "./services/service.js";

const SERVER_GRACE_MS = 60_000;
const POLL_MS = 50;

export interface Stopped {
  readonly server: boolean;
  readonly services: number;
}

/** Stops the server, then (unless traffic should continue) every instance, HAProxy and Redis, in that order. Repeatable. */
export async function down(context: Context, options: { keepTraffic: boolean }): Promise<Stopped> {
  const server = await stopServer(context);
  return { server, services: options.keepTraffic ? 0 : await stopServices(context) };
}

export async function stopServices(context: Context): Promise<number> {
  const { home, settings } = context;
  const folders = await readdir(home.services()).catch(() => []);
  const names: string[] = [];
  for (const name of folders) if (await isSupervised(home.service(name))) names.push(name);
  const isInstance = (name: string): boolean => !SERVICES.some((service) => service === name);
  const instances = names.filter(isInstance);
  await Promise.all(
    instances.map(async (name) => endService(home.service(name), settings.instances.stopSeconds * 1000)),
  );
  const limits = await memoryLimiter(home.root);
  // Of those that had ended before, too.
  await Promise.all(folders.filter(isInstance).map(async (name) => limits.remove(name)));
  for (const name of SERVICES) {
    await endService(home.service(name), SERVICE_GRACE_MS);
    if (name === "haproxy") await leaveProxies(context);
  }
  return names.length;
}

async function stopServer({ home }: Context): Promise<boolean> {
  const pid = await runningServer(home);
  if (pid === undefined) return false;
  process.kill(pid, "SIGTERM");
  const killAt = Date.now() + SERVER_GRACE_MS;
  while ((await runningServer(home)) === pid) {
    if (Date.now() > killAt) process.kill(pid, "SIGKILL");
    await systemClock.sleep(POLL_MS);
  }
  return true;
}
