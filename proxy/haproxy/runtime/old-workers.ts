import { parseMap, parseOpenServers, parseProcesses, parseServers } from "./answers.js";
import { paths } from "../config/paths.js";
import { slotOfEntry, withSlot } from "../config/entries/slot-entry.js";
import { WAKE } from "../config/text/wake-backend.js";
import { mapChanges, mapCommand } from "./map-changes.js";
import { mapsOf, routingOf } from "../config/routing.js";
import { argument, type Runtime } from "./runtime.js";
import {
  MAPS,
  NO_MAPS,
  NOWHERE,
  type HaproxyState,
  type Maps,
  type ObservedServer,
  type Routing,
  type SlotServer,
} from "../config/state.js";

interface OldWorker {
  readonly runtime: Runtime;
  /**
   * Those that have an address. They never change: HAProxy refuses commands for the servers of a worker that was told to stop
   * ("Proxy is disabled.").
   */
  readonly servers: readonly ObservedServer[];
  /** Slot → addresses of its servers that take requests. */
  readonly addresses: ReadonlyMap<string, ReadonlySet<string>>;
  /** The names of its maps. */
  readonly maps: ReadonlySet<string>;
  /** What they say. */
  routing: Routing;
  /** What `routing` was derived from. */
  followed?: Routing;
}

/** There is no backend of this name, so the answer is a 503. */
const NO_SLOT = "none";

/**
 * Workers from before a reload. They finish their requests, and still take one more on each connection that is kept open, which
 * must be routed as in the present worker. Only their maps can be changed, so requests for a release whose servers have changed
 * go through the waker, which forwards them.
 */
export class OldWorkers {
  private readonly known = new Map<number, OldWorker>();

  constructor(
    private readonly master: Runtime,
    private readonly folder: string,
  ) {}

  /** Makes them route as `wanted`. Returns servers with open connections that are not in `wanted`. */
  async follow(wanted: HaproxyState): Promise<SlotServer[]> {
    const pids = await this.pids();
    for (const pid of this.known.keys()) if (!pids.includes(pid)) this.known.delete(pid);
    const open: SlotServer[] = [];
    for (const pid of pids) {
      try {
        const worker = this.known.get(pid) ?? (await this.observe(pid));
        this.known.set(pid, worker);
        await this.route(worker, wanted);
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
    const servers = parseServers(await runtime.run("show servers state")).filter(
      ({ slot, address }) => slot !== WAKE && address !== NOWHERE,
    );
    return {
      runtime,
      servers,
      addresses: addressesOf(servers.filter(({ isOut }) => !isOut)),
      ...(await this.mapsOf(runtime)),
    };
  }

  /** A version before may have started it. */
  private async mapsOf(runtime: Runtime): Promise<Pick<OldWorker, "routing" | "maps">> {
    const maps = await readMaps(runtime, this.folder);
    return { routing: routingOf({ ...NO_MAPS, ...maps }), maps: new Set(Object.keys(maps)) };
  }

  /** Only looks at apps that have changed since the last time. */
  private async route(worker: OldWorker, wanted: HaproxyState): Promise<void> {
    const { addresses, routing, followed } = worker;
    const changed = changedApps(followed ?? routing, wanted);
    const apps = new Map(routing.apps);
    for (const app of changed) {
      const maps = wanted.apps.get(app);
      if (maps === undefined) apps.delete(app);
      else apps.set(app, mapsFor(addresses, maps, wanted));
    }
    const next = { apps, fallback: wanted.fallback };
    const changes = mapChanges(mapsOf(routing, changed), mapsOf(next, changed));
    await worker.runtime.expect(
      "",
      changes.filter(({ map }) => worker.maps.has(map)).map((change) => mapCommand(this.folder, change)),
    );
    worker.routing = next;
    worker.followed = wanted;
  }
}

/** A worker's maps, those that it knows. */
export async function readMaps(runtime: Runtime, folder: string): Promise<Partial<Maps>> {
  const read = MAPS.map(async (map): Promise<Partial<Maps>> => {
    const entries = parseMap(await runtime.run(`show map ${argument(paths.map(folder, map))}`));
    return entries === undefined ? {} : { [map]: entries };
  });
  return Object.assign({}, ...(await Promise.all(read))) as Partial<Maps>;
}

/** Apps whose maps differ. */
function changedApps(before: Routing, after: Routing): string[] {
  if (before.apps === after.apps) return [];
  const changed = [...after.apps].filter(([app, maps]) => before.apps.get(app) !== maps);
  const gone = [...before.apps.keys()].filter((app) => !after.apps.has(app));
  return [...changed.map(([app]) => app), ...gone];
}

/** An app's maps for a worker whose slots have these addresses. Pure. */
function mapsFor(
  addresses: ReadonlyMap<string, ReadonlySet<string>>,
  maps: Maps,
  wanted: HaproxyState,
): Maps {
  const slotFor = (slot: string): string => {
    const here = new Set(wanted.servers.get(slot)?.values());
    if (here.size === 0) return NO_SLOT;
    const there = addresses.get(slot) ?? new Set();
    const isSame = there.size === here.size && [...here].every((address) => there.has(address));
    return isSame ? slot : WAKE;
  };
  const lead = (entries: ReadonlyMap<string, string>): Map<string, string> =>
    new Map(
      [...entries].map(([key, entry]) => {
        const slot = slotOfEntry(entry);
        return [key, slot === WAKE ? entry : withSlot(entry, slotFor(slot))];
      }),
    );
  return { ...maps, visitors: lead(maps.visitors), slots: lead(maps.slots) };
}

function addressesOf(servers: readonly SlotServer[]): Map<string, Set<string>> {
  const addresses = new Map<string, Set<string>>();
  for (const { slot, address } of servers)
    addresses.set(slot, (addresses.get(slot) ?? new Set()).add(address));
  return addresses;
}

async function openServers({ runtime, servers }: OldWorker, wanted: HaproxyState): Promise<SlotServer[]> {
  const unwanted = servers.filter(
    ({ slot, address }) => ![...(wanted.servers.get(slot)?.values() ?? [])].includes(address),
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
