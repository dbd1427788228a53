import { access, constants } from "node:fs/promises";
import semver from "semver";
import { toAppError } from "../../../core/errors/app-error.js";
import { serviceState } from "../../../core/exec/runsv.js";
import { serverStatusSchema } from "../../../core/api/machines/status.js";
import { apiPath } from "../../client/api-path.js";
import { Client } from "../../client/client.js";
import type { Context } from "../../start/context.js";
import { hasNoRecipients } from "./has-no-recipients.js";
import { checkPrograms, PROGRAMS } from "../../start/checks/preflight.js";
import { diskUse } from "../../start/disk/disk-use.js";
import { lastLogLines } from "../../start/services/service.js";

export interface Finding {
  readonly ok: boolean;
  readonly what: string;
  readonly fix?: string;
}

const OLDEST_NODE = "20.19.0";

/** Checks this machine. A finding that is not ok says how to fix it. */
export async function checkMachine(context: Context): Promise<Finding[]> {
  const engine = context.settings.engine === "swarm" ? [docker] : [];
  const checks = [node, programs, home, disk, ...engine, redis, appsRedis, haproxy, server, alerts];
  const findings: Finding[] = [];
  for (const check of checks) findings.push(await check(context));
  return findings;
}

async function node(): Promise<Finding> {
  const ok = semver.gte(process.version, OLDEST_NODE);
  return { ok, what: `Node.js ${process.version}`, fix: `Sluice needs ${OLDEST_NODE} or later.` };
}

async function programs(context: Context): Promise<Finding> {
  return checkPrograms(context).then(
    () => ({ ok: true, what: `programs: ${[...PROGRAMS.keys()].join(", ")}` }),
    (error: unknown) => ({ ok: false, what: toAppError(error).message, fix: toAppError(error).hint }),
  );
}

async function home(context: Context): Promise<Finding> {
  const { root } = context.home;
  return access(root, constants.W_OK).then(
    () => ({ ok: true, what: `state folder ${root}` }),
    () => ({
      ok: false,
      what: `the state folder ${root} is not writable or does not exist yet`,
      fix: "Run sluice up to create it, or set SLUICE_HOME.",
    }),
  );
}

async function disk({ home, settings, path }: Context): Promise<Finding> {
  const space = await diskUse(home, settings, path).catch(() => undefined);
  if (space === undefined) return { ok: true, what: "disk: not checked, there is no state folder yet" };
  const { freeMegabytes, neededMegabytes, freeFiles, neededFiles, isFull, largest } = space;
  const files = neededFiles === 0 ? "" : `, room for ${freeFiles} files`;
  const most = largest.map(({ folder, megabytes }) => `${folder} ${megabytes} MB`);
  const taken = most.length === 0 ? "" : `; most is in ${most.join(", ")}`;
  return {
    ok: !isFull,
    what: `disk: ${freeMegabytes} MB free${files}${taken}`,
    fix: `Free some space: pushes are declined while less than ${neededMegabytes} MB or room for ${neededFiles} files is free.`,
  };
}

/** Whether it can run instances on several hosts. */
async function docker(context: Context): Promise<Finding> {
  const { checkDocker } = await import("../../start/engines/check-docker.js");
  return checkDocker(context).then(
    (hosts) => ({ ok: true, what: `Docker: manages a Swarm, ${hosts} ready` }),
    (error: unknown) => ({ ok: false, what: toAppError(error).message, fix: toAppError(error).hint }),
  );
}

async function redis(context: Context): Promise<Finding> {
  if (context.settings.redis.url !== undefined) return { ok: true, what: "Redis: your own (redis.url)" };
  return service(context, "redis");
}

async function appsRedis(context: Context): Promise<Finding> {
  if (context.settings.redis.url !== undefined)
    return { ok: true, what: "the apps' Redis: the same (docs/redis.md says what that means)" };
  return service(context, "apps-redis");
}

async function haproxy(context: Context): Promise<Finding> {
  return service(context, "haproxy");
}

async function service({ home }: Context, name: string): Promise<Finding> {
  const { pid } = await serviceState(home.service(name));
  if (pid !== undefined) return { ok: true, what: `${name}: process ${pid}` };
  const log = await lastLogLines(home, name, 3);
  return {
    ok: false,
    what: `${name} is not running`,
    fix: log === "" ? "sluice up starts it." : `Its last lines: ${log}`,
  };
}

async function server(context: Context): Promise<Finding> {
  try {
    const {
      pid,
      redis: records,
      proxy,
    } = await new Client(context).call("GET", apiPath("status"), serverStatusSchema);
    if (records.state === "down")
      return {
        ok: false,
        what: `server: process ${pid}, but Redis does not answer`,
        fix: "Traffic is not affected; pushes are declined until Redis is back.",
      };
    return {
      ok: proxy.revision !== undefined,
      what: `server: process ${pid}, proxy at revision ${proxy.revision ?? "unknown"}`,
      fix: "No proxy is reporting: start one with sluice up --roles proxy.",
    };
  } catch (error) {
    return { ok: false, what: toAppError(error).message, fix: toAppError(error).hint };
  }
}

/** Recipients are optional. */
async function alerts({ settings: { monitor } }: Context): Promise<Finding> {
  if (hasNoRecipients(monitor))
    return { ok: true, what: "alerts: nobody is notified (monitor.email in sluice.yml)" };
  const kinds = (["email", "webhook", "slack"] as const).filter((kind) => monitor[kind] !== undefined);
  return { ok: true, what: `alerts: sent by ${kinds.join(", ")} (sluice alerts test sends a test)` };
}
