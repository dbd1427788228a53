import { entry, printable } from "../catalogue-entry.js";

/** Redis, HAProxy and the disk. */
export const servicesErrors = {
  "redis-unavailable": entry<{ reason: string }>(
    503,
    ({ reason }) => `Redis, which keeps Sluice's records, does not answer (${reason}).`,
    () => "Traffic is not affected. Try again in a moment; `sluice doctor` checks Redis.",
    true,
  ),
  "apps-redis-unavailable": entry<{ reason: string }>(
    503,
    ({ reason }) => `The apps' Redis does not answer (${reason}).`,
    () =>
      "Apps that use it have errors until it is back; releases and traffic go on. `sluice doctor` shows its last lines.",
    true,
  ),
  "redis-is-its-owners": entry(
    409,
    () => "Sluice uses a Redis of your own (redis.url), of which it makes no replicas.",
    () => "Give that Redis replicas as its documentation says.",
  ),
  "replica-not-ordered": entry(
    409,
    () => "This host has no replica of Redis.",
    () =>
      "This command is for root on a host with the role redis, which the server makes: sluice provision redis ADDRESS (docs/redis-replicas.md).",
  ),
  "replica-empty": entry<{ server: string }>(
    409,
    ({ server }) => `This host's replica has never got what Redis at ${server} has.`,
    () => "There is nothing here to go on with. Try another host with the role redis, or a backup.",
  ),
  "redis-primary-answers": entry<{ address: string }>(
    409,
    ({ address }) => `Redis at ${address} answers: it is the primary, and nothing was changed.`,
    () =>
      "With two primaries, what one of them gets would be lost. To move Redis here all the same, stop Sluice there first: sluice down.",
  ),
  "redis-not-taken-back": entry<{ host: string }>(
    503,
    ({ host }) =>
      `Redis at ${printable(host)} is the primary, and what it has got meanwhile could not be fetched for 30 s.`,
    ({ host }) =>
      `Look whether ${printable(host)} answers, and start Sluice again. Until then ${printable(host)} goes on as it is.`,
    true,
  ),
  "record-forged": entry<{ key: string }>(
    500,
    ({ key }) => `${key} in Redis was not written by this Sluice: its signature is missing or wrong.`,
    ({ key }) =>
      `It is not used. Find out who else can write to that Redis. If the file "key" of the state folder was replaced, restore it; else remove ${key}.`,
  ),
  "uid-refused": entry<{ app: string; uid: number; firstUid: number }>(
    500,
    ({ app, uid, firstUid }) =>
      `The record of ${app} says user ${uid}; Sluice runs apps as users from instances.firstUid (${firstUid}) on.`,
    () => "If instances.firstUid was raised in sluice.yml, set it back: apps keep their users.",
  ),
  "engine-unavailable": entry<{ reason: string }>(
    503,
    ({ reason }) => `The engine that runs the instances does not answer (${reason}).`,
    () => "Running instances keep serving. Try again in a moment.",
    true,
  ),
  "engine-refused": entry<{ request: string; reason: string }>(
    502,
    ({ request, reason }) => `Docker refused to ${request}: ${printable(reason)}`,
    () => "Running instances keep serving. `sluice doctor` checks Docker's settings.",
  ),
  "swarm-needs-root": entry(
    500,
    () => "The engine swarm needs root: it gives Docker the registry's certificate, and makes base images.",
    () => "Start Sluice as root, or use the engine runit.",
  ),
  "swarm-unfit": entry<{ problem: string; fix: string }>(
    500,
    ({ problem }) => `Docker cannot be used here: ${problem}.`,
    ({ fix }) => fix,
  ),
  "redis-refused": entry<{ command: string; reason: string }>(
    503,
    ({ command, reason }) => `Redis refused ${command}: ${reason}.`,
    () =>
      "A Redis of your own (redis.url) must allow ACL SETUSER and Lua scripts, must not be read-only, and needs free memory (maxmemory).",
  ),
  "record-unreadable": entry<{ key: string }>(
    500,
    ({ key }) =>
      `${key} in Redis cannot be read: it is damaged, or was written by a later version of Sluice.`,
    () =>
      "It was not changed, and running apps are not affected. Use the version that wrote it, or restore a copy.",
  ),
  "disk-full": entry<{
    path: string;
    freeMegabytes: number;
    neededMegabytes: number;
    freeFiles: number;
    neededFiles: number;
  }>(
    507,
    ({ path, freeMegabytes, neededMegabytes, freeFiles, neededFiles }) =>
      freeFiles < neededFiles
        ? `The disk of ${path} is full: room for ${freeFiles} files (inodes), ${neededFiles} must stay free.`
        : `The disk of ${path} is full: ${freeMegabytes} MB free, ${neededMegabytes} MB must stay free.`,
    () =>
      "Nothing was changed. Free some space (sluice doctor shows what takes it; sluice destroy APP --yes) and try again.",
    true,
  ),
  "haproxy-files-behind": entry<{ folder: string }>(
    507,
    ({ folder }) => `HAProxy's files in ${folder} could not be updated: the disk is full.`,
    () => "Free some space. Sluice then updates the files within a second and tries again.",
    true,
  ),
  "haproxy-refused": entry<{ command: string; answer: string }>(
    500,
    ({ command, answer }) => `HAProxy refused "${command}": ${answer}`,
    () => "Sluice falls back to a seamless reload. If this happens again, please report it.",
  ),
  "proxy-silent": entry<{
    revision: number;
    proxies: string;
    seconds: number;
    since?: string | undefined;
  }>(
    504,
    ({ revision, proxies, seconds, since }) =>
      `The proxy (${proxies}) did not apply revision ${revision}${since === undefined ? ` within ${seconds} s` : ` and has not reported since ${since}`}.`,
    ({ proxies, since }) =>
      since === undefined
        ? "The change is saved, and the proxy applies it as soon as it can; see `sluice doctor`."
        : `It catches up when Sluice runs there again. Until then, instances it may send visitors to are not stopped. If that host is gone for good: sluice hosts remove ${proxies}`,
    true,
  ),
} as const;
