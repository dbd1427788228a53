import { parseMap, parseOpenServers, parseProcesses, parseServers } from "./answers.js";
import { paths, WAKE } from "./configuration.js";
import { mapChanges, mapCommand } from "./map-changes.js";
import { argument, type Runtime } from "./runtime.js";
import {
  MAPS,
  NOWHERE,
  slotOfEntry,
  withSlot,
  type HaproxyState,
  type MapName,
  type Maps,
  type ObservedServer,
  type SlotServer,
} from "./state.js";

interface OldWorker {
  readonly runtime: Runtime;
  /** Since it was told to stop its servers are as they were: HAProxy changes none of it ("Proxy is disabled."). */
  readonly servers: readonly ObservedServer[];
  maps: Maps;
  /** What `maps` were made from. */
  followed?: Maps;
}

/** No backend is called this: whoever is sent there is answered 503. */
const NO_SLOT = "none";

/**
 * Workers from before a reload. They finish what is open, and still answer the next request on each connection that visitors
 * keep: that goes where it would go in the present worker. Only their maps can be changed, so the requests of a release that
 * has other servers by now take the way by the waker, which passes them on to it.
 */
export class OldWorkers {
  private readonly known = new Map<number, OldWorker>();

  constructor(
    private readonly master: Runtime,
    private readonly folder: string,
  ) {}

  /** Makes them route as `wanted`. Returns the servers that it does not name and on which something is open. */
  async follow(wanted: HaproxyState): Promise<SlotServer[]> {
    const pids = await this.pids();
    for (const pid of this.known.keys()) if (!pids.includes(pid)) this.known.delete(pid);
    const open: SlotServer[] = [];
    for (const pid of pids) {
      try {
        const worker = this.known.get(pid) ?? (await this.observe(pid));
        this.known.set(pid, worker);
        await this.route(worker, wanted.maps, wanted);
        open.push(...(await openServers(worker, wanted)));
      } catch (error) {
        this.known.delete(pid);
        // It may have ended meanwhile.
        if ((await this.pids()).includes(pid)) throw error;
      }
    }
    return open;
  }

  private async pids(): Promise<readonly number[]> {
    return parseProcesses(await this.master.run("show proc")).oldWorkers;
  }

  private async observe(pid: number): Promise<OldWorker> {
    const runtime = this.master.of(pid);
    return {
      runtime,
      servers: parseServers(await runtime.run("show servers state")),
      maps: await readMaps(runtime, this.folder),
    };
  }

  private async route(worker: OldWorker, from: Maps, wanted: HaproxyState): Promise<void> {
    if (worker.followed === from) return;
    const maps = mapsFor(worker.servers, wanted);
    const commands = mapChanges(worker.maps, maps).map((change) => mapCommand(this.folder, change));
    await worker.runtime.expect("", commands);
    worker.maps = maps;
    worker.followed = from;
  }
}

/** What a worker has in its maps. */
export async function readMaps(
  runtime: Runtime,
  folder: string,
): Promise<Record<MapName, Map<string, string>>> {
  const read = async (map: MapName): Promise<Map<string, string>> =>
    parseMap(await runtime.run(`show map ${argument(paths.map(folder, map))}`));
  const [hosts, visitors, tracks, splits, slots] = await Promise.all(MAPS.map(read));
  const none = new Map<string, string>();
  return {
    hosts: hosts ?? none,
    visitors: visitors ?? none,
    tracks: tracks ?? none,
    splits: splits ?? none,
    slots: slots ?? none,
  };
}

/** The wanted maps for a worker with these servers. Pure. */
export function mapsFor(servers: readonly ObservedServer[], wanted: HaproxyState): Maps {
  const slotFor = (slot: string): string => {
    const addresses = wanted.servers.get(slot);
    if (addresses === undefined || addresses.size === 0) return NO_SLOT;
    const there = servers.filter(
      (server) => server.slot === slot && !server.isOut && server.address !== NOWHERE,
    );
    const present = new Set(there.map(({ address }) => address));
    const isSame =
      present.size === addresses.size && [...addresses.values()].every((address) => present.has(address));
    return isSame ? slot : WAKE;
  };
  const slots = new Map<string, string>();
  const lead = (entries: ReadonlyMap<string, string>): Map<string, string> =>
    new Map(
      [...entries].map(([key, entry]) => {
        const slot = slotOfEntry(entry);
        if (slot === WAKE) return [key, entry];
        const found = slots.get(slot) ?? slotFor(slot);
        slots.set(slot, found);
        return [key, withSlot(entry, found)];
      }),
    );
  return { ...wanted.maps, visitors: lead(wanted.maps.visitors), slots: lead(wanted.maps.slots) };
}

async function openServers({ runtime, servers }: OldWorker, wanted: HaproxyState): Promise<SlotServer[]> {
  const unwanted = servers.filter(
    ({ slot, address }) =>
      address !== NOWHERE &&
      slot !== WAKE &&
      ![...(wanted.servers.get(slot)?.values() ?? [])].includes(address),
  );
  if (unwanted.length === 0) return [];
  const slots = new Set(unwanted.map(({ slot }) => slot));
  const open = parseOpenServers(
    await runtime.run(...[...slots].map((slot) => `show stat ${argument(slot)} 4 -1`)),
  );
  return unwanted
    .filter(({ slot, server }) => open.has(`${slot}/${server}`))
    .map(({ slot, server, address }) => ({ slot, server, address }));
}
