import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { AppError } from "../core/app-error.js";
import type { ServerStatus } from "../server/api/server-status.js";
import type { KeyRecord } from "../server/access/key-store.js";
import type { TokenRecord } from "../server/access/token-store.js";
import type { CanarySummary } from "../server/canary/canary-summary.js";
import type { AppSummary, ReleaseSummary } from "../server/releases/summaries.js";
import type { RecentTraffic } from "../server/releases/recent-traffic.js";
import { Client } from "./client.js";
import type { Context } from "./context.js";
import { checkMachine } from "./doctor.js";
import { down } from "./down.js";
import { installHooks } from "./install-hooks.js";
import { canaryLines } from "./show-canary.js";
import { table } from "./table.js";

export interface Format {
  readonly json?: boolean;
}
export interface LogOptions extends Format {
  readonly follow?: boolean;
  readonly release?: string;
  readonly lines: number;
}
export interface ConfigOptions extends Format {
  readonly unset?: string[];
}

export async function stop(
  context: Context,
  { keepTraffic = false }: { keepTraffic?: boolean },
): Promise<void> {
  const stopped = await down(context, { keepTraffic });
  if (!stopped.server && stopped.services === 0) context.print("Nothing was running.");
  else if (keepTraffic)
    context.print("The server is stopped; the traffic goes on. `sluice up` takes it over again.");
  else context.print("Sluice is stopped.");
}

export async function status(context: Context, { json }: Format): Promise<void> {
  // The shapes are the server's own: both come from one build.
  const answer = (await new Client(context).call("GET", "/api/status")) as ServerStatus;
  if (json) {
    context.print(JSON.stringify(answer, undefined, 2));
    return;
  }
  const { pid, memoryMegabytes, proxy, redis, home, version } = answer;
  context.print(`server   up, process ${pid}, ${memoryMegabytes} MB, version ${version}, ${home}`);
  context.print(
    `proxy    ${proxy.state}${proxy.pid === undefined ? "" : `, process ${proxy.pid}`}, port ${proxy.port}, revision ${proxy.revision ?? "unknown"}`,
  );
  context.print(`redis    ${redis.state}${redis.pid === undefined ? "" : `, process ${redis.pid}`}`);
  context.print("");
  printApps(context, answer.apps);
}

export async function apps(context: Context, { json }: Format): Promise<void> {
  const answer = (await new Client(context).call("GET", "/api/apps")) as AppSummary[];
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else printApps(context, answer);
}

export async function releases(context: Context, app: string, { json }: Format): Promise<void> {
  const answer = (await new Client(context).call(
    "GET",
    `/api/apps/${encodeURIComponent(app)}/releases`,
  )) as ReleaseSummary[];
  if (json) {
    context.print(JSON.stringify(answer, undefined, 2));
    return;
  }
  const rows = answer.map(({ release, commit, track, traffic, phase, at, by, error }) => [
    release,
    commit.slice(0, 10),
    track,
    traffic === "no" ? phase : traffic,
    at.slice(0, 19).replace("T", " "),
    by,
    error ?? "",
  ]);
  for (const line of table(["release", "commit", "track", "state", "queued (UTC)", "by", ""], rows))
    context.print(line);
}

export async function rollback(context: Context, app: string, release: string | undefined): Promise<void> {
  const body = release === undefined ? {} : { release };
  await new Client(context).stream(
    "POST",
    `/api/apps/${encodeURIComponent(app)}/rollback`,
    body,
    ({ line }) => context.print(String(line)),
  );
}

export async function promote(context: Context, app: string): Promise<void> {
  await new Client(context).stream("POST", `/api/apps/${encodeURIComponent(app)}/promote`, {}, ({ line }) =>
    context.print(String(line)),
  );
}

export async function abort(context: Context, app: string): Promise<void> {
  const answer = await new Client(context).call("POST", `/api/apps/${encodeURIComponent(app)}/abort`);
  const { release } = answer as { release: string };
  context.print(`${release} is out of the traffic; it goes when its last connection has closed.`);
}

export async function canary(context: Context, app: string, { json }: Format): Promise<void> {
  const path = `/api/apps/${encodeURIComponent(app)}/canary`;
  const answer = (await new Client(context).call("GET", path)) as CanarySummary;
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else for (const line of canaryLines(answer)) context.print(line);
}

export async function weight(context: Context, app: string, percent: number): Promise<void> {
  await new Client(context).call("PUT", `/api/apps/${encodeURIComponent(app)}/weight`, { percent });
  context.print(
    percent === 0
      ? `The canary of ${app} gets only those who ask for it by the header.`
      : `${percent} % of the new visitors of ${app} go to the canary.`,
  );
}

export async function logs(
  context: Context,
  app: string,
  { follow = false, release, lines, json }: LogOptions,
): Promise<void> {
  const query = new URLSearchParams({
    lines: String(lines),
    follow: String(follow),
    ...(release === undefined ? {} : { release }),
  });
  const show = (entry: Record<string, unknown>): void => {
    const { at, from, text } = entry;
    context.print(
      json ? JSON.stringify(entry) : `${at === "" ? "" : `${String(at)} `}${String(from)} | ${String(text)}`,
    );
  };
  await new Client(context).stream(
    "GET",
    `/api/apps/${encodeURIComponent(app)}/logs?${query.toString()}`,
    undefined,
    show,
  );
}

export async function config(
  context: Context,
  app: string,
  settings: readonly string[],
  { unset = [], json }: ConfigOptions,
): Promise<void> {
  const set: Record<string, string> = {};
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at < 1) throw new AppError("request-invalid", { problem: `"${setting}" is no NAME=VALUE` });
    set[setting.slice(0, at)] = setting.slice(at + 1);
  }
  const path = `/api/apps/${encodeURIComponent(app)}/config`;
  const isChange = settings.length > 0 || unset.length > 0;
  const client = new Client(context);
  const answer = (await (isChange
    ? client.call("PATCH", path, { set, unset })
    : client.call("GET", path))) as Record<string, string>;
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else if (isChange)
    context.print(`Set for the next release of ${app}: ${Object.keys(answer).join(", ") || "nothing"}`);
  else for (const [name, value] of Object.entries(answer)) context.print(`${name}=${value}`);
}

export async function destroy(context: Context, app: string): Promise<void> {
  await new Client(context).call("DELETE", `/api/apps/${encodeURIComponent(app)}`);
  context.print(`${app} is gone, with its releases and records.`);
}

export async function keys(context: Context, { json }: Format): Promise<void> {
  const answer = (await new Client(context).call("GET", "/api/keys")) as KeyRecord[];
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else
    for (const line of table(
      ["id", "name", "fingerprint"],
      answer.map(({ id, name, fingerprint }) => [id, name, fingerprint]),
    ))
      context.print(line);
}

export async function addKey(context: Context, file: string): Promise<void> {
  const key =
    file === "-"
      ? await readAll(process.stdin)
      : await readFile(file, "utf8").catch((error: unknown) => {
          throw new AppError("key-invalid", {
            reason: error instanceof Error ? error.message : String(error),
          });
        });
  const { id, name, fingerprint } = (await new Client(context).call("POST", "/api/keys", {
    key,
  })) as KeyRecord;
  context.print(`${name} may push: ${fingerprint} (${id})`);
}

export async function tokens(context: Context, { json }: Format): Promise<void> {
  const answer = (await new Client(context).call("GET", "/api/tokens")) as TokenRecord[];
  if (json) context.print(JSON.stringify(answer, undefined, 2));
  else
    for (const line of table(
      ["id", "name", "made"],
      answer.map(({ id, name, createdAt }) => [id, name, createdAt]),
    ))
      context.print(line);
}

export async function createToken(context: Context, name: string): Promise<void> {
  const { token, id } = (await new Client(context).call("POST", "/api/tokens", { name })) as TokenRecord & {
    token: string;
  };
  context.print(token);
  context.print(`(id ${id}; shown this once)`);
}

export async function remove(context: Context, kind: "keys" | "tokens", id: string): Promise<void> {
  await new Client(context).call("DELETE", `/api/${kind}/${encodeURIComponent(id)}`);
  context.print(`Removed ${id}.`);
}

export async function installHook(context: Context): Promise<void> {
  const { path, chained, state } = await installHooks({
    directory: process.cwd(),
    hookSource: join(context.installation, "hooks/pre-commit"),
  });
  context.print(`${path}: ${state}${chained ? "; the hook that stood there runs first" : ""}`);
  context.print("Each commit now runs lint and tests on what is staged (git commit --no-verify skips them).");
}

export async function doctor(context: Context): Promise<void> {
  const findings = await checkMachine(context);
  for (const { ok, what, mend } of findings) {
    context.print(`${ok ? "ok  " : "  ! "} ${what}`);
    if (!ok && mend !== undefined) context.print(`      ${mend}`);
  }
  const bad = findings.filter(({ ok }) => !ok).length;
  if (bad > 0) throw new AppError("machine-unfit", { count: bad });
}

function printApps(context: Context, summaries: readonly AppSummary[]): void {
  if (summaries.length === 0) {
    context.print("No app yet: git push makes one.");
    return;
  }
  const rows = summaries.flatMap(({ app, tracks, instances, url }) => {
    const running = instances.filter((instance) => instance.running).length;
    const processes = `${running}/${instances.length} running`;
    if (tracks.length === 0) return [[app, "-", "nothing live", url, processes]];
    return tracks.map(({ track, release, url: trackUrl, traffic }) => [
      ...[app, track, release, trackUrl, processes],
      ...trafficCells(traffic),
    ]);
  });
  const head = ["app", "track", "release", "url", "instances", "req/s", "errors", "p50", "p99"];
  for (const line of table(head, rows)) context.print(line);
}

/** Of the last minute. */
function trafficCells({ requestsPerSecond, errorShare, p50, p99 }: RecentTraffic): string[] {
  const ms = (value: number | null): string => (value === null ? "-" : `${Number(value.toPrecision(2))} ms`);
  return [
    requestsPerSecond.toFixed(1),
    errorShare === null ? "-" : `${(errorShare * 100).toFixed(1)} %`,
    ms(p50),
    ms(p99),
  ];
}
