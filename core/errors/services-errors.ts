import { entry } from "./catalogue-entry.js";

/** Redis, HAProxy and the disk. */
export const servicesErrors = {
  "redis-unavailable": entry<{ reason: string }>(
    503,
    ({ reason }) => `Redis, which keeps Sluice's records, does not answer (${reason}).`,
    () => "Traffic goes on as it is. Try again in a moment; `sluice doctor` tells how Redis is.",
    true,
  ),
  "engine-unavailable": entry<{ reason: string }>(
    503,
    ({ reason }) => `The engine that runs the instances does not answer (${reason}).`,
    () => "Running instances keep serving. Try again in a moment.",
    true,
  ),
  "redis-refused": entry<{ command: string; reason: string }>(
    503,
    ({ command, reason }) => `Redis refused ${command}: ${reason}.`,
    () =>
      "A Redis of your own (redis.url) must allow ACL SETUSER and Lua scripts, must not be read-only, and needs room (maxmemory).",
  ),
  "record-unreadable": entry<{ key: string }>(
    500,
    ({ key }) =>
      `${key} in Redis cannot be read: it is damaged, or a later version of Sluice has written it.`,
    () =>
      "Nothing of it was changed, and what runs goes on. Use the version that wrote it, or put back a copy of it.",
  ),
  "disk-full": entry<{ path: string; freeMegabytes: number; neededMegabytes: number }>(
    507,
    ({ path, freeMegabytes, neededMegabytes }) =>
      `The disk of ${path} is full: ${freeMegabytes} MB free, ${neededMegabytes} MB must stay free.`,
    () => "Nothing was changed. Make room (old logs, unused apps: sluice destroy APP --yes) and try again.",
    true,
  ),
  "haproxy-files-behind": entry<{ folder: string }>(
    507,
    ({ folder }) => `HAProxy's files in ${folder} are behind its routes: the disk had no room for them.`,
    () => "Make room: they are written within a second then, and this is tried again.",
    true,
  ),
  "haproxy-refused": entry<{ command: string; answer: string }>(
    500,
    ({ command, answer }) => `HAProxy refused "${command}": ${answer}`,
    () => "Sluice falls back to a seamless reload; if this repeats, please report it.",
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
        ? "What is written stays, and is applied as soon as the proxy can; see `sluice doctor`."
        : `It will when Sluice runs there again; until then nothing is stopped that it may lead visitors to. If that machine is gone for good: sluice hosts remove ${proxies}`,
    true,
  ),
} as const;
