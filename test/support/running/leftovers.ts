import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { parseMap, parseServers } from "../../../proxy/haproxy/runtime/answers.js";
import { slotOfEntry } from "../../../proxy/haproxy/config/entries/slot-entry.js";
import { NOWHERE } from "../../../proxy/haproxy/config/state.js";
import type { TestSluice } from "./test-sluice.js";

export interface Leftovers {
  /** Processes of installs, gates and builds. */
  readonly jobs: string[];
  /** Service folders of instances. */
  readonly instances: string[];
  /** Releases with more than their log on disk. */
  readonly trees: string[];
  /** HAProxy's servers. */
  readonly servers: string[];
}

/** What lies about of an app, to be compared with what should. */
export async function leftoversOf(sluice: TestSluice, app: string): Promise<Leftovers> {
  const releases = join(sluice.home, "apps", app, "releases");
  const names = (await readdir(releases).catch(() => [])).sort();
  const contents = await Promise.all(names.map(async (name) => readdir(join(releases, name))));
  return {
    jobs: await jobsOf(sluice.home),
    instances: (await sluice.instances()).filter((id) => id.startsWith(`${app}.`)),
    trees: names.filter((_, index) => contents[index]?.some((file) => file !== "output.log")),
    servers: await serversOf(sluice, app),
  };
}

/** The instance behind each server that HAProxy has for the app; one without an instance by slot and address. */
async function serversOf(sluice: TestSluice, app: string): Promise<string[]> {
  const slots = parseMap(await haproxy(sluice, `show map ${join(sluice.home, "haproxy/slots.map")}`));
  const foreign = new Set(
    [...(slots ?? [])].filter(([key]) => !key.startsWith(`${app}/`)).map(([, entry]) => slotOfEntry(entry)),
  );
  const addresses = new Map<string, string>();
  for (const id of await sluice.instances()) {
    const text = await readFile(join(sluice.home, "services", id, "instance.json"), "utf8").catch(() => "{}");
    addresses.set((JSON.parse(text) as { address?: string }).address ?? "", id);
  }
  const servers = parseServers(await haproxy(sluice, "show servers state"));
  return servers
    .filter(({ slot, address }) => address !== NOWHERE && !foreign.has(slot))
    .map(({ slot, address }) => addresses.get(address) ?? `${slot} ${address}`)
    .filter((name) => name.startsWith(`${app}.`) || name.startsWith("slot-"))
    .sort();
}

/** One command on HAProxy's runtime API. */
export async function haproxy(sluice: TestSluice, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ path: join(sluice.home, "haproxy/admin.sock") }, () =>
      socket.write(`${command}\n`),
    );
    socket.on("data", (bytes) => (text += bytes.toString()));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

/** Sandboxes of tasks: what they work on lies in the home. */
async function jobsOf(home: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  const isTask = (command: string): boolean =>
    command.startsWith("bwrap\0") &&
    command.includes("\0--die-with-parent\0") &&
    command.includes(`\0${home}/`);
  return pids.filter((_, index) => isTask(commands[index] ?? ""));
}
