import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseListeners } from "../../server/engines/runit/listening.js";
import type { TestSluice } from "./test-sluice.js";

/** All that a Sluice keeps on a machine for one app's releases, wherever it lies. */
export interface Traces {
  /** Service folders, each with its `runsv`. */
  readonly services: readonly string[];
  /** Folders of instances' logs. */
  readonly logs: readonly string[];
  /** Release → what lies in its folder. */
  readonly folders: Readonly<Record<string, readonly string[]>>;
  /** Ports of the Sluice's own range (`ownPorts`) on which somebody listens. */
  readonly ports: readonly number[];
  /** Servers that HAProxy knows: `APP.vN.PROCESS.INDEX:PORT`, or without a port. */
  readonly servers: readonly string[];
  /** Processes of installs, gates, builds and tasks: `PID COMMAND`. */
  readonly jobs: readonly string[];
  /** Half-received objects in the app's repository. */
  readonly quarantines: readonly string[];
  /** Memory groups of the kernel. */
  readonly groups: readonly string[];
}

/** A range for instances that no other Sluice on this machine uses at the same time (as good as surely). */
export function ownPorts(): { first: number; last: number } {
  const first = 10_000 + 40 * Math.floor(Math.random() * 240);
  return { first, last: first + 39 };
}

export async function tracesOf(
  { home }: TestSluice,
  app: string,
  range: { first: number; last: number },
): Promise<Traces> {
  const ofApp = (names: readonly string[]): string[] =>
    names.filter((name) => name.startsWith(`${app}.`)).sort();
  return {
    services: ofApp(await list(join(home, "services"))),
    logs: ofApp(await list(join(home, "logs"))),
    folders: await contentsOf(join(home, "apps", app, "releases")),
    ports: await listenersIn(range),
    servers: ofApp(await serversOf(join(home, "haproxy/admin.sock"))),
    jobs: await jobsOf(home),
    quarantines: (await list(join(home, "apps", app, "repo.git/objects"))).filter((name) =>
      /tmp|incoming/.test(name),
    ),
    groups: ofApp([
      ...(await list("/sys/fs/cgroup/sluice")),
      ...(await list("/sys/fs/cgroup/memory/sluice")),
    ]),
  };
}

/** What there is when this one `web` instance of one release runs, and nothing else was left by anything. */
export function tracesOfOne(
  app: string,
  release: string,
  port: number,
  groups: readonly string[] = [],
): Traces {
  const id = `${app}.${release}.web.1`;
  return {
    services: [id],
    logs: [id],
    folders: { [release]: ["output.log", "tree"] },
    ports: [port],
    servers: [`${id}:${port}`],
    jobs: [],
    quarantines: [],
    groups,
  };
}

/** Processes that carry a Sluice's mark (`SLUICE_JOB`) in their environment. */
export async function jobsOf(home: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const jobs = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      if (!environment.split("\0").some((variable) => variable.startsWith(`SLUICE_JOB=${home}:`))) return [];
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return [`${pid} ${command.replaceAll("\0", " ").trim()}`];
    }),
  );
  return jobs.flat();
}

async function listenersIn({ first, last }: { first: number; last: number }): Promise<number[]> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map(async (file) => readFile(file, "utf8").catch(() => "")),
  );
  const ports = tables.flatMap(parseListeners).map(({ address }) => Number(address.split(":").at(-1)));
  return ports.filter((port) => port >= first && port <= last).sort();
}

/** HAProxy management guide, `show servers state`: a version, a line of column names, then the servers. */
async function serversOf(socketPath: string): Promise<string[]> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  socket.end("show servers state\n");
  const lines = (await text(socket)).split("\n").filter((line) => /^\d+ /.test(line));
  return lines.map((line) => line.split(" ")[3] ?? "");
}

async function contentsOf(folder: string): Promise<Record<string, string[]>> {
  const names = (await list(folder)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await list(join(folder, name))).sort()] as const)),
  );
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
