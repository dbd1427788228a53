import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { AppError } from "../../core/app-error.js";
import { writeFileAtomically } from "../../core/atomic-file.js";
import { systemClock } from "../../core/clock.js";
import type { AppRoutes, Count, Load, Proxy } from "../proxy.js";
import { parseLoads, parseMap, parseOpenStreams, parseProcesses, parseServers } from "./answers.js";
import {
  FIRST_SLOTS,
  SCRIPT,
  SERVER_CHECK,
  WAKE,
  configurationText,
  mapText,
  paths,
  slotName,
  slotText,
  type HaproxyOptions,
} from "./configuration.js";
import { bucketMapText } from "./bucket-map.js";
import { Counters } from "./counters.js";
import { plan, type MapChange, type Plan } from "./plan.js";
import { addressArgument, argument, Runtime } from "./runtime.js";
import {
  isPlace,
  MAPS,
  NOWHERE,
  slotOfEntry,
  type HaproxyState,
  type MapName,
  type SlotServer,
} from "./state.js";

const RELOAD_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/**
 * HAProxy, steered at run time. A release has a backend ("slot") of its own out of a pool that is there beforehand, so
 * that a switch is one change of a map. The files are written before the change: what HAProxy would start with is what
 * runs, or is about to.
 */
export class Haproxy implements Proxy {
  private readonly runtime: Runtime;
  private readonly master: Runtime;
  private readonly counters: Counters;
  /** What runs; unknown after an error, and then read again. */
  private state: HaproxyState | undefined;

  constructor(private readonly options: HaproxyOptions) {
    this.runtime = new Runtime(paths.adminSocket(options.folder));
    this.master = new Runtime(paths.masterSocket(options.folder));
    this.counters = new Counters(this.master, paths.adminSocket(options.folder));
  }

  /** Writes what HAProxy needs to start: the fixed part always, slots and maps where there are none yet. */
  static async prepare(options: HaproxyOptions): Promise<{ changed: boolean }> {
    await mkdir(paths.slots(options.folder), { recursive: true });
    const text = configurationText(options);
    const changed = (await readFile(paths.configuration(options.folder), "utf8").catch(() => "")) !== text;
    await writeFileAtomically(paths.buckets(options.folder), bucketMapText());
    await writeFileAtomically(paths.script(options.folder), SCRIPT);
    await writeFileAtomically(paths.configuration(options.folder), text);
    const present = new Set(await readdir(options.folder));
    for (const map of MAPS) {
      if (!present.has(`${map}.map`)) await writeFileAtomically(paths.map(options.folder, map), "");
    }
    if ((await slotsIn(options.folder)).length === 0) await writeEmptySlots(options.folder, 1, FIRST_SLOTS);
    return { changed };
  }

  async apps(): Promise<ReadonlySet<string>> {
    const { maps } = await this.observed();
    return new Set([...maps.hosts.values()].map((target) => target.split("/")[0] ?? ""));
  }

  async apply(
    changes: ReadonlyMap<string, AppRoutes | undefined>,
    fallback: string | undefined,
  ): Promise<void> {
    let difference = plan(await this.observed(), changes, fallback);
    if (difference.missingSlots > 0) {
      await this.addSlots(difference.missingSlots);
      difference = plan(await this.observed(), changes, fallback);
    }
    refuseHostile(difference);
    this.state = undefined;
    await this.writeFiles(difference);
    try {
      await this.perform(difference);
    } catch (error) {
      if (!(error instanceof AppError) || difference.maps.length + difference.added.length === 0) throw error;
      // The files say what is wanted: a seamless reload gets there too.
      await this.reload();
      return;
    }
    this.state = await this.removeLeaving(difference.next);
  }

  async loads(releases: readonly string[]): Promise<ReadonlyMap<string, Load>> {
    const { maps } = await this.observed();
    const slotOf = releases.flatMap((release) => {
      const entry = maps.slots.get(release);
      const slot = entry === undefined ? WAKE : slotOfEntry(entry);
      return slot === WAKE ? [] : [[release, slot] as const];
    });
    if (slotOf.length === 0) return new Map();
    const answers = await this.everyWorker(slotOf.map(([, slot]) => `show stat ${slot} 2 -1`));
    return new Map(
      slotOf.map(([release, slot]) => [release, together(answers.flatMap((loads) => loads.get(slot) ?? []))]),
    );
  }

  async sweep(): Promise<void> {
    const state = await this.observed();
    if (state.leaving.length > 0) this.state = await this.removeLeaving(state);
  }

  async leaving(): Promise<readonly string[]> {
    const { leaving } = await this.observed();
    return leaving.map(({ address }) => address);
  }

  async counts(all: boolean): Promise<readonly Count[]> {
    return this.counters.count(all);
  }

  /** Starts new workers with the files as they are; the old ones finish what they have. */
  async reload(): Promise<void> {
    this.state = undefined;
    const before = parseProcesses(await this.master.run("show proc"));
    // A proxy that cannot count must be able to reload all the same.
    await this.counters.rememberAll().catch(() => undefined);
    await this.master.run("reload").catch(() => "");
    const deadline = Date.now() + RELOAD_TIMEOUT_MS;
    while (Date.now() < deadline) {
      await systemClock.sleep(POLL_MS);
      const answer = await this.master.run("show proc").catch(() => "");
      const now = parseProcesses(answer);
      if (now.failed > before.failed) break;
      if (
        now.workers.length > 0 &&
        !now.workers.some((pid) => before.workers.includes(pid)) &&
        (await this.answers())
      )
        return;
    }
    throw new AppError("haproxy-refused", {
      command: "reload",
      answer: "the new configuration was not taken",
    });
  }

  private async observed(): Promise<HaproxyState> {
    this.state ??= await this.observe();
    return this.state;
  }

  private async observe(): Promise<HaproxyState> {
    const { folder } = this.options;
    const read = async (map: MapName): Promise<Map<string, string>> =>
      parseMap(await this.runtime.run(`show map ${argument(paths.map(folder, map))}`));
    const maps = {
      hosts: await read("hosts"),
      visitors: await read("visitors"),
      tracks: await read("tracks"),
      splits: await read("splits"),
      slots: await read("slots"),
    };
    const all = parseServers(await this.runtime.run("show servers state"));
    const used = new Set([...maps.slots.values()].map(slotOfEntry));
    const servers = new Map<string, Map<string, string>>();
    const leaving: SlotServer[] = [];
    for (const { slot, server, address, isOut } of all) {
      if (address === NOWHERE || slot === WAKE) continue;
      if (isOut || !used.has(slot)) leaving.push({ slot, server, address });
      else servers.set(slot, (servers.get(slot) ?? new Map<string, string>()).set(server, address));
    }
    return { maps, servers, leaving, slots: await slotsIn(folder) };
  }

  private async writeFiles({ next, added, leaving, maps }: Plan): Promise<void> {
    const { folder } = this.options;
    for (const slot of new Set([...added, ...leaving].map((change) => change.slot))) {
      await writeFileAtomically(
        paths.slot(folder, slot),
        slotText(slot, next.servers.get(slot) ?? new Map()),
      );
    }
    for (const map of new Set(maps.map((change) => change.map))) {
      await writeFileAtomically(paths.map(folder, map), mapText(next, map));
    }
  }

  private async perform({ added, maps }: Plan): Promise<void> {
    for (const { slot, server, address } of added) {
      const name = `${argument(slot)}/${argument(server)}`;
      if (isPlace(server)) {
        await this.runtime.setAddress(name, address);
        await this.runtime.expect("", [`set server ${name} state ready`]);
      } else {
        const add = `add server ${name} ${argument(address)} ${SERVER_CHECK}; enable health ${name}; enable server ${name}`;
        await this.runtime.expect("New server registered.", [add]);
      }
      // It has just proved its health: without this its first failed check would be one too many.
      await this.runtime.expect("", [`set server ${name} health up`]);
    }
    await this.runtime.expect(
      "",
      maps.map((change) => mapCommand(this.options.folder, change)),
    );
  }

  /** Takes leaving servers out; those with open connections stay in `leaving`. */
  private async removeLeaving(state: HaproxyState): Promise<HaproxyState> {
    const still: SlotServer[] = [];
    for (const leaving of state.leaving) {
      const name = `${argument(leaving.slot)}/${argument(leaving.server)}`;
      const isGone = isPlace(leaving.server) ? await this.vacate(leaving, name) : await this.remove(name);
      if (!isGone) still.push(leaving);
    }
    return { ...state, leaving: still };
  }

  private async vacate({ slot, server }: SlotServer, name: string): Promise<boolean> {
    await this.runtime.expect("", [`set server ${name} state maint`]);
    if (parseOpenStreams(await this.runtime.run(`show stat ${slot} 4 -1`), server) > 0) return false;
    await this.runtime.setAddress(name, NOWHERE);
    return true;
  }

  private async remove(name: string): Promise<boolean> {
    const answer = (await this.runtime.run(`set server ${name} state maint; del server ${name}`)).trim();
    if (answer.includes("still has connections")) return false;
    if (answer.endsWith("Server deleted.") || answer.includes("No such")) return true;
    throw new AppError("haproxy-refused", { command: `del server ${name}`, answer });
  }

  /** Twice as many as there are; or, where HAProxy has not the files for so many, just what is missing. */
  private async addSlots(missing: number): Promise<void> {
    const count = (await this.observed()).slots.length;
    if (missing < count && (await this.tryMoreSlots(count, count).catch(() => false))) return;
    await this.tryMoreSlots(count, missing);
  }

  private async tryMoreSlots(count: number, more: number): Promise<true> {
    await writeEmptySlots(this.options.folder, count + 1, count + more);
    try {
      await this.reload();
    } catch (error) {
      // HAProxy must always be able to start with its files.
      for (let index = count + 1; index <= count + more; index++)
        await rm(paths.slot(this.options.folder, slotName(index)), { force: true });
      throw error;
    }
    return true;
  }

  private async everyWorker(commands: readonly string[]): Promise<Map<string, Load>[]> {
    const { oldWorkers } = parseProcesses(await this.master.run("show proc"));
    const answers = [await this.runtime.run(...commands)];
    for (const pid of oldWorkers) {
      // An old worker may be gone by the time it is asked.
      for (const command of commands)
        answers.push(await this.master.run(`@!${pid} ${command}`).catch(() => ""));
    }
    return answers.map(parseLoads);
  }

  private async answers(): Promise<boolean> {
    return this.runtime.run("show version").then(
      () => true,
      () => false,
    );
  }
}

/** What is wanted stands in files too, where a reload would read it: it is looked at before anything is written. */
function refuseHostile({ added, maps }: Plan): void {
  for (const { slot, server, address } of added) {
    argument(`${slot}/${server}`);
    addressArgument(address);
  }
  for (const change of maps) {
    argument(change.key);
    if (change.kind !== "delete") argument(change.value);
  }
}

function mapCommand(folder: string, change: MapChange): string {
  const path = argument(paths.map(folder, change.map));
  switch (change.kind) {
    case "add":
    case "set":
      return `${change.kind} map ${path} ${argument(change.key)} ${argument(change.value)}`;
    case "delete":
      return `del map ${path} ${argument(change.key)}`;
  }
}

function together(loads: readonly Load[]): Load {
  return {
    connections: loads.reduce((sum, load) => sum + load.connections, 0),
    idleSeconds: loads.reduce((least, load) => Math.min(least, load.idleSeconds), Infinity),
  };
}

async function slotsIn(folder: string): Promise<string[]> {
  const files = await readdir(paths.slots(folder));
  return files
    .filter((name) => name.endsWith(".cfg"))
    .map((name) => name.slice(0, -".cfg".length))
    .sort();
}

async function writeEmptySlots(folder: string, first: number, last: number): Promise<void> {
  for (let index = first; index <= last; index++) {
    await writeFileAtomically(paths.slot(folder, slotName(index)), slotText(slotName(index), new Map()));
  }
}
