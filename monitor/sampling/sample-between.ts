import type { Loads } from "../../core/records/scaling/instance-loads.js";
import type { InstanceSample, Sample } from "../../core/records/hosts/sample.js";
import type { InstanceReading } from "./instance-usage.js";
import type { Reading } from "./reading.js";

/** A sample tells of so many instances at most, those with the most memory: what is kept per host is bounded. */
export const MOST_INSTANCES = 100;
const MEGABYTE = 1024 * 1024;

/** What a host did from one reading to the next. */
export function sampleBetween(before: Reading, after: Reading): Sample {
  const seconds = secondsBetween(before, after);
  const cpus = after.cpuLimit?.cpus ?? after.cpu.cpus;
  const { memory, load1, disk } = after;
  const pressure = pressureBetween(before, after, seconds);
  const network = networkBetween(before, after, seconds);
  return {
    cpus,
    cpu: cpuBetween(before, after, seconds),
    memory: space(memory.usedBytes, memory.totalBytes),
    ...(load1 === undefined ? {} : { load1 }),
    ...(pressure === undefined ? {} : { pressure }),
    ...(disk === undefined ? {} : { disk: space(disk.usedBytes, disk.usedBytes + disk.availableBytes) }),
    ...(network === undefined ? {} : { network }),
    instances: instancesBetween(before, after, seconds * cpus),
  };
}

/** A set of them, or a map by them. */
export type AppNames = Pick<ReadonlySet<string>, "has" | "size">;

/** What each instance of these apps took. */
export function loadsBetween(before: Reading, after: Reading, apps: AppNames): Loads {
  const seconds = secondsBetween(before, after);
  const loads: Record<string, number> = {};
  if (apps.size === 0) return loads;
  for (const [id, instance] of after.instances) {
    if (!apps.has(id.slice(0, id.indexOf(".")))) continue;
    const used = Math.max(0, cpuSecondsSince(before.instances.get(id), instance));
    loads[id] = Math.round((used / seconds) * 10_000) / 100;
  }
  return loads;
}

/**
 * Of the machine by its own ticks. Under a quota user and system are the group's, of what it may use; iowait and steal stay
 * the machine's, since nobody counts them for a group.
 */
function cpuBetween(before: Reading, after: Reading, seconds: number): Sample["cpu"] {
  const grown = (name: "user" | "system" | "iowait" | "steal" | "idle"): number =>
    // iowait may go back a little (proc(5)).
    Math.max(0, after.cpu[name] - before.cpu[name]);
  const [iowait, steal] = [grown("iowait"), grown("steal")];
  const all = grown("user") + grown("system") + iowait + steal + grown("idle");
  const ofMachine = (ticks: number): number => percent(ticks, all);
  if (after.cpuLimit !== undefined && before.cpuLimit !== undefined) {
    const available = after.cpuLimit.cpus * seconds;
    const user = percent(after.cpuLimit.used.userSeconds - before.cpuLimit.used.userSeconds, available);
    const system = percent(after.cpuLimit.used.systemSeconds - before.cpuLimit.used.systemSeconds, available);
    const busy = Math.min(100, rounded(user + system));
    return { user, system, iowait: ofMachine(iowait), steal: ofMachine(steal), busy };
  }
  return {
    user: ofMachine(grown("user")),
    system: ofMachine(grown("system")),
    iowait: ofMachine(iowait),
    steal: ofMachine(steal),
    busy: ofMachine(grown("user") + grown("system") + steal),
  };
}

function secondsBetween(before: Reading, after: Reading): number {
  return Math.max(0.001, (after.monotonicMs - before.monotonicMs) / 1000);
}

function pressureBetween(before: Reading, after: Reading, seconds: number): Sample["pressure"] {
  const [from, to] = [before.waitedMicroseconds, after.waitedMicroseconds];
  if (from === undefined || to === undefined) return undefined;
  const share = (name: "cpu" | "memory" | "io"): number => percent(to[name] - from[name], seconds * 1e6);
  return { cpu: share("cpu"), memory: share("memory"), io: share("io") };
}

function networkBetween(before: Reading, after: Reading, seconds: number): Sample["network"] {
  if (before.network === undefined || after.network === undefined) return undefined;
  // An interface that went takes its count with it.
  const rate = (bytes: number): number => Math.max(0, Math.round(bytes / seconds));
  return {
    receivedBytes: rate(after.network.received - before.network.received),
    sentBytes: rate(after.network.sent - before.network.sent),
  };
}

function instancesBetween(
  before: Reading,
  after: Reading,
  availableSeconds: number,
): Record<string, InstanceSample> {
  const largest = [...after.instances]
    .sort(([, a], [, b]) => b.memoryBytes - a.memoryBytes)
    .slice(0, MOST_INSTANCES);
  return Object.fromEntries(
    largest.map(([id, instance]) => [
      id,
      {
        cpu: percent(cpuSecondsSince(before.instances.get(id), instance), availableSeconds),
        memoryMegabytes: rounded(instance.memoryBytes / MEGABYTE),
        restarts: instance.restarts,
      },
    ]),
  );
}

/** One that is new has used all it used since then; one that was restarted may count again. A process that ended unwaited took its own along. */
function cpuSecondsSince(before: InstanceReading | undefined, after: InstanceReading): number {
  const grown = after.cpuSeconds - (before?.cpuSeconds ?? 0);
  return grown < 0 && before?.restarts !== after.restarts ? after.cpuSeconds : grown;
}

function space(usedBytes: number, totalBytes: number): Sample["memory"] {
  return {
    usedMegabytes: Math.round(usedBytes / MEGABYTE),
    totalMegabytes: Math.round(totalBytes / MEGABYTE),
    percent: percent(usedBytes, totalBytes),
  };
}

/** 0 to 100 with one decimal. */
function percent(part: number, whole: number): number {
  return whole <= 0 ? 0 : rounded(Math.min(100, Math.max(0, (part / whole) * 100)));
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
