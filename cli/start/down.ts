import { systemClock } from "../../core/clock.js";
import { exists } from "../../core/files/exists.js";
import { endService, isSupervised } from "../../core/exec/runsv.js";
import { stopAllInstances } from "../../server/engines/runit/stop-all.js";
import type { Context } from "./context.js";
import { removeNetworks } from "./services/open-networks.js";
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

/** Returns how many were running. */
export async function stopServices(context: Context): Promise<number> {
  const { home, settings } = context;
  let stopped = await stopAllInstances(home, settings.instances.stopSeconds * 1000);
  if (await exists(home.swarm()))
    stopped += await (await import("./engines/stop-swarm.js")).stopSwarm(context);
  for (const name of SERVICES) {
    if (await isSupervised(home.service(name))) stopped += 1;
    await endService(home.service(name), SERVICE_GRACE_MS);
    if (name === "haproxy") await leaveProxies(context);
  }
  if (context.isRoot) await removeNetworks(context);
  return stopped;
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
