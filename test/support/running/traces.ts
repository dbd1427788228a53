import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseListeners } from "../../../server/engines/runit/listening.js";
import type { PortRange } from "../network/free-range.js";
import { leftoversOf, type Leftovers } from "./leftovers.js";
import type { TestSluice } from "./test-sluice.js";

/** All that the releases of one app can leave on a machine, but what they said. */
export interface Traces extends Leftovers {
  /** Ports of the Sluice's own range on which somebody listens. */
  readonly ports: readonly number[];
  /** Who has a network of its own, tasks among them. */
  readonly networks: readonly string[];
  /** Half-received objects in the app's repository. */
  readonly quarantines: readonly string[];
  /** Half-made installations. */
  readonly staging: readonly string[];
  /** Memory groups of the kernel. */
  readonly groups: readonly string[];
}

export async function tracesOf(sluice: TestSluice, app: string, range: PortRange): Promise<Traces> {
  const folder = join(sluice.home, "apps", app);
  // Two Sluices on one machine may have an app of the same name.
  const mark = createHash("sha256").update(sluice.home).digest("hex").slice(0, 8);
  const groups = await Promise.all(["/sys/fs/cgroup/sluice", "/sys/fs/cgroup/memory/sluice"].map(list));
  return {
    ...(await leftoversOf(sluice, app)),
    // In networks of their own they have none of this machine's.
    ports: process.getuid?.() === 0 ? [] : await listenersIn(range),
    // Not those that are prepared for the next ones.
    networks: (await list(join(sluice.home, "networks"))).filter((id) => id.includes(".")),
    quarantines: (await list(join(folder, "repo.git/objects"))).filter((name) => /tmp|incoming/.test(name)),
    staging: await list(join(folder, "cache/staging")),
    groups: groups.flat().filter((name) => name.startsWith(`${app}.`) && name.endsWith(`.${mark}`)),
  };
}

async function listenersIn({ first, last }: PortRange): Promise<number[]> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map(async (file) => readFile(file, "utf8").catch(() => "")),
  );
  const ports = tables.flatMap(parseListeners).map(({ address }) => Number(address.split(":").at(-1)));
  return ports.filter((port) => port >= first && port <= last).sort();
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
