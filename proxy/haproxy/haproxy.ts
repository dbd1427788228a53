import { AppError } from "../../core/errors/app-error.js";
import { silentLog, type Log } from "../../core/log.js";
import type { AppRoutes, Count, Load, Proxy, ServedCertificate } from "../proxy.js";
import { parseLoads, parseServers } from "./runtime/answers.js";
import type { HaproxyOptions } from "./config/haproxy-options.js";
import { paths } from "./config/paths.js";
import { Counters } from "./counting/counters.js";
import { HaproxyCertificates } from "./certificates/haproxy-certificates.js";
import { removeSlots, slotsIn, writeEmptySlots } from "./config/files.js";
import { lineOptions, serverCheck } from "./config/text/slot-text.js";
import { mapCommand } from "./runtime/map-changes.js";
import { OldWorkers, readMaps } from "./runtime/old-workers.js";
import { plan, type Plan } from "./runtime/plan.js";
import { PlannedFiles } from "./config/planned-files.js";
import { appOf, routingOf } from "./config/routing.js";
import { addressArgument, argument, Runtime } from "./runtime/runtime.js";
import { Servers } from "./runtime/servers.js";
import { slotOfEntry } from "./config/entries/slot-entry.js";
import { WAKE } from "./config/text/wake-backend.js";
import { NO_MAPS, NOWHERE, type HaproxyState, type SlotServer } from "./config/state.js";
import { UnwrittenRoutes } from "./config/unwritten-routes.js";
import { Workers } from "./runtime/workers.js";

/**
 * HAProxy, controlled at run time. Each release has a backend of its own (a "slot") from a pool that exists in advance, so a
 * switch is one change of a map. The files are written before the change, so HAProxy would always start with the routes that
 * it has or is about to get. On a full disk the change is made without them: if HAProxy restarts then, it has the earlier
 * routes until `sweep` applies the new ones again. The files are written as soon as there is room.
 */
export class Haproxy implements Proxy {
  private readonly runtime: Runtime;
  private readonly workers: Workers;
  private readonly oldWorkers: OldWorkers;
  private readonly servers: Servers;
  private readonly counters: Counters;
  private readonly files: PlannedFiles;
  private readonly unwritten: UnwrittenRoutes;
  private readonly certificates: HaproxyCertificates;
  /** What HAProxy does now. Unknown after an error, and then read again. */
  private state: HaproxyState | undefined;

  constructor(
    private readonly options: HaproxyOptions,
    log: Log = silentLog,
  ) {
    const master = new Runtime(paths.masterSocket(options.folder));
    this.runtime = new Runtime(paths.adminSocket(options.folder));
    this.workers = new Workers(master, this.runtime);
    this.oldWorkers = new OldWorkers(master, options.folder);
    this.servers = new Servers(this.runtime, serverCheck(options));
    this.counters = new Counters(master, paths.adminSocket(options.folder));
    this.files = new PlannedFiles(options.folder, lineOptions(options));
    this.unwritten = new UnwrittenRoutes(log);
    this.certificates = new HaproxyCertificates(options.folder, this.runtime, log);
  }

  async apps(): Promise<ReadonlySet<string>> {
    return new Set((await this.observed()).apps.keys());
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
    const areWritten = await this.files.write(difference);
    if (areWritten) this.unwritten.forget();
    else this.unwritten.remember(changes, fallback, await this.workers.present());
    try {
      await this.perform(difference);
    } catch (error) {
      const isReloadOfUse = areWritten && difference.maps.length + difference.added.length > 0;
      if (!(error instanceof AppError) || !isReloadOfUse) throw error;
      // The files have the new routes, so a seamless reload leads to the same result.
      await this.replaceWorkers();
      await this.observed();
      return;
    }
    this.state = await this.leadOldWorkers(await this.removeLeaving(difference.next));
  }

  async loads(releases: readonly string[]): Promise<ReadonlyMap<string, Load>> {
    const { apps } = await this.observed();
    const slotOf = releases.flatMap((release) => {
      const entry = apps.get(appOf(release))?.slots.get(release);
      const slot = entry === undefined ? WAKE : slotOfEntry(entry);
      return slot === WAKE ? [] : [[release, slot] as const];
    });
    if (slotOf.length === 0) return new Map();
    const answers = await this.workers.ask(slotOf.map(([, slot]) => `show stat ${slot} 2 -1`));
    const loads = answers.map(parseLoads);
    return new Map(
      slotOf.map(([release, slot]) => [release, together(loads.flatMap((some) => some.get(slot) ?? []))]),
    );
  }

  async sweep(): Promise<void> {
    await this.writeUnwritten();
    const state = await this.observed();
    this.state = await this.leadOldWorkers(
      state.leaving.length > 0 ? await this.removeLeaving(state) : state,
    );
  }

  /** Makes up for a full disk: writes the files if there is room now, and applies the routes again if HAProxy has restarted. */
  private async writeUnwritten(): Promise<void> {
    if (!this.unwritten.areThere) return;
    if (this.unwritten.areLostBy(await this.workers.present())) {
      this.state = undefined;
      await this.apply(this.unwritten.changes, this.unwritten.fallback);
    } else if (await this.files.catchUp(await this.observed())) this.unwritten.forget();
  }

  async leaving(): Promise<readonly string[]> {
    const { leaving, elsewhere = [] } = await this.observed();
    return [...new Set([...leaving, ...elsewhere].map(({ address }) => address))];
  }

  async counts(all: boolean): Promise<readonly Count[]> {
    return this.counters.count(all);
  }

  async addCertificates(certificates: readonly ServedCertificate[]): Promise<readonly string[]> {
    return this.certificates.add(certificates);
  }

  async keepCertificates(certificates: readonly ServedCertificate[]): Promise<void> {
    await this.certificates.keep(certificates);
  }

  async answerChallenges(answers: ReadonlyMap<string, string>): Promise<void> {
    await this.certificates.answerChallenges(answers);
  }

  /** Lines of logs that the present worker could not write. */
  async droppedLines(): Promise<number | undefined> {
    const count = /^DroppedLogs: (\d+)$/m.exec(await this.runtime.run("show info"))?.[1];
    return count === undefined ? undefined : Number(count);
  }

  /** Starts new workers with the present files; the old ones finish their requests. Throws `haproxy-files-behind`. */
  async reload(): Promise<void> {
    if (!(await this.files.catchUp(await this.observed())))
      throw new AppError("haproxy-files-behind", { folder: this.options.folder });
    this.unwritten.forget();
    await this.replaceWorkers();
  }

  private async replaceWorkers(): Promise<void> {
    this.state = undefined;
    // A reload must not depend on counting.
    await this.counters.rememberAll().catch(() => undefined);
    await this.workers.replace();
  }

  private async observed(): Promise<HaproxyState> {
    this.state ??= await this.leadOldWorkers(await this.observe());
    return this.state;
  }

  private async observe(): Promise<HaproxyState> {
    const { folder } = this.options;
    const maps = { ...NO_MAPS, ...(await readMaps(this.runtime, folder)) };
    const all = parseServers(await this.runtime.run("show servers state"));
    const used = [...maps.slots.values()].map(slotOfEntry).filter((slot) => slot !== WAKE);
    const servers = new Map(used.map((slot) => [slot, new Map<string, string>()]));
    const leaving: SlotServer[] = [];
    for (const { slot, server, address, isOut } of all) {
      if (address === NOWHERE || slot === WAKE) continue;
      const present = servers.get(slot);
      if (isOut || present === undefined) leaving.push({ slot, server, address });
      else present.set(server, address);
    }
    return { ...routingOf(maps), servers, leaving, slots: await slotsIn(folder) };
  }

  private async perform({ added, maps }: Plan): Promise<void> {
    for (const server of added) await this.servers.add(server);
    await this.runtime.expect(
      "",
      maps.map((change) => mapCommand(this.options.folder, change)),
    );
  }

  /** Removes servers that are leaving; those with open connections stay in `leaving`. */
  private async removeLeaving(state: HaproxyState): Promise<HaproxyState> {
    const still: SlotServer[] = [];
    for (const leaving of state.leaving) if (!(await this.servers.remove(leaving))) still.push(leaving);
    return { ...state, leaving: still };
  }

  /** Workers from before a reload finish their open requests, and route new ones as the present worker does. */
  private async leadOldWorkers(state: HaproxyState): Promise<HaproxyState> {
    return { ...state, elsewhere: await this.oldWorkers.follow(state) };
  }

  /** Doubles the slots, or adds only the missing ones if HAProxy may not open enough files for that. */
  private async addSlots(missing: number): Promise<void> {
    const count = (await this.observed()).slots.length;
    if (missing < count && (await this.tryMoreSlots(count, count).catch(() => false))) return;
    await this.tryMoreSlots(count, missing);
  }

  private async tryMoreSlots(count: number, more: number): Promise<true> {
    await writeEmptySlots(this.options.folder, [count + 1, count + more], lineOptions(this.options));
    try {
      await this.reload();
    } catch (error) {
      // HAProxy must always be able to start with its files.
      await removeSlots(this.options.folder, count + 1, count + more);
      throw error;
    }
    return true;
  }
}

/** Checks everything before it is written to the files, which a reload would read. */
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

function together(loads: readonly Load[]): Load {
  return {
    connections: loads.reduce((sum, load) => sum + load.connections, 0),
    idleSeconds: loads.reduce((least, load) => Math.min(least, load.idleSeconds), Infinity),
  };
}
