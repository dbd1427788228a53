/** A host that takes instances of a role, by its monitor. */
export interface HostLoad {
  readonly name: string;
  readonly cpus: number;
  /** Percent of its processors, mean of the last 15 s. */
  readonly cpu: number;
  /** The same a minute ago; undefined: not known. */
  readonly cpuBefore: number | undefined;
  /** The highest mean of 15 s within the calm time; undefined: not all of that time is known. */
  readonly cpuPeak: number | undefined;
  /** Percent in use, the last sample. */
  readonly memory: number;
  /** The same within the calm time, at its highest. */
  readonly memoryPeak: number | undefined;
  /** Whether the autoscaler may take it away, and since when it is there; ms since 1970. */
  readonly madeAt: number | undefined;
  /** Instances that run there. */
  readonly instances: number;
}

export interface SizeView {
  /** ms since 1970. */
  readonly now: number;
  readonly hosts: readonly HostLoad[];
  /** Of those that Sluice makes. */
  readonly min: number;
  readonly max: number;
  readonly cpuTarget: number;
  readonly cooldownSeconds: number;
  /** When a host of the role became ready last. */
  readonly changedAt: number;
  /** Since when there have been no more hosts than now: what the others did before that, they did with help. */
  readonly fewerAt: number;
  /** How long the last one took from its order to its first instance; a usual time if there was none. */
  readonly bootSeconds: number;
  /** One is being made, or is leaving. */
  readonly isChanging: boolean;
  readonly isReleasing: boolean;
}

export type SizeVerdict =
  | { readonly kind: "grow"; readonly reason: string }
  | { readonly kind: "shrink"; readonly host: string; readonly reason: string }
  | { readonly kind: "stay"; readonly reason: string };

/** Between the least load that adds a host and the most that removes one. */
const TOLERANCE = 0.1;
/** Beyond it the kernel has no room for files that are read often, and the next instance may not fit. */
const MEMORY_TARGET = 85;
/** A rise is believed only from so much of the target on: from far below it, it may as well end there. */
const LEAST_SHARE_TO_PREDICT = 0.6;
/** So many cooldowns must have been calm before a host leaves: a new one costs minutes, an idle one little. */
const CALM_COOLDOWNS = 2;

/**
 * Whether a role needs a host more, or one fewer: by the CPU and memory of its hosts together. A rise that would reach the target
 * before a new host is there asks for it now. The newest host that Sluice made leaves, of those with the fewest instances, when
 * the others would have been enough for a while; never the last one, never while a release is under way. Pure.
 */
export function decideSize(view: SizeView): SizeVerdict {
  const { now, hosts, changedAt, cooldownSeconds, isChanging } = view;
  if (hosts.length === 0) return stay("no host reports");
  if (isChanging) return stay("a change is under way");
  if (now - changedAt < cooldownSeconds * 1000) return stay("the last change was just now");
  return wantsMore(view) ?? wantsFewer(view) ?? stay(`the hosts use ${shown(meanOf(hosts, cpuOf))} % CPU`);
}

/** Seconds that must have been calm before a host leaves. */
export function calmSecondsOf({ cooldownSeconds }: Pick<SizeView, "cooldownSeconds">): number {
  return CALM_COOLDOWNS * cooldownSeconds;
}

function wantsMore(view: SizeView): SizeVerdict | undefined {
  const { hosts, cpuTarget, max, bootSeconds } = view;
  if (hosts.filter(({ madeAt }) => madeAt !== undefined).length >= max) return undefined;
  const cpu = meanOf(hosts, cpuOf);
  if (cpu > cpuTarget * (1 + TOLERANCE))
    return { kind: "grow", reason: `the hosts use ${shown(cpu)} % CPU, target ${cpuTarget} %` };
  const memory = meanOf(hosts, (host) => host.memory);
  if (memory > MEMORY_TARGET)
    return {
      kind: "grow",
      reason: `the hosts use ${shown(memory)} % of their memory, target ${MEMORY_TARGET} %`,
    };
  const soon = cpu + ((cpu - meanOf(hosts, (host) => host.cpuBefore ?? host.cpu)) / 60) * bootSeconds;
  if (cpu > cpuTarget * LEAST_SHARE_TO_PREDICT && soon > cpuTarget * (1 + TOLERANCE))
    return {
      kind: "grow",
      reason: `the hosts use ${shown(cpu)} % CPU and will use ${shown(soon)} % in the ${shown(bootSeconds)} s that another one takes, target ${cpuTarget} %`,
    };
  return undefined;
}

function wantsFewer(view: SizeView): SizeVerdict | undefined {
  const { now, hosts, min, cpuTarget, isReleasing, fewerAt } = view;
  const calm = calmSecondsOf(view);
  if (now - fewerAt < calm * 1000) return undefined;
  const made = hosts.filter(({ madeAt }) => madeAt !== undefined);
  if (isReleasing || hosts.length < 2 || made.length <= min) return undefined;
  const [leaver] = [...made].sort((a, b) => a.instances - b.instances || (b.madeAt ?? 0) - (a.madeAt ?? 0));
  if (leaver === undefined) return undefined;
  const others = hosts.filter((host) => host !== leaver);
  const [cpu, memory] = [
    withoutHost(hosts, others, (host) => host.cpuPeak),
    withoutHost(hosts, others, (host) => host.memoryPeak),
  ];
  if (cpu === undefined || memory === undefined) return undefined;
  if (cpu > cpuTarget * (1 - TOLERANCE) || memory > MEMORY_TARGET * (1 - TOLERANCE)) return undefined;
  return {
    kind: "shrink",
    host: leaver.name,
    reason: `for ${calm} s, the others would have used at most ${shown(cpu)} % CPU, target ${cpuTarget} %`,
  };
}

/** What the others would use if they did all that all of them did. Undefined where too little is known. */
function withoutHost(
  hosts: readonly HostLoad[],
  others: readonly HostLoad[],
  peakOf: (host: HostLoad) => number | undefined,
): number | undefined {
  if (hosts.some((host) => peakOf(host) === undefined)) return undefined;
  const used = hosts.reduce((sum, host) => sum + (peakOf(host) ?? 0) * host.cpus, 0);
  return used / others.reduce((sum, { cpus }) => sum + cpus, 0);
}

function cpuOf({ cpu }: HostLoad): number {
  return cpu;
}

/** By the processors of each. */
function meanOf(hosts: readonly HostLoad[], valueOf: (host: HostLoad) => number): number {
  const cpus = hosts.reduce((sum, host) => sum + host.cpus, 0);
  return hosts.reduce((sum, host) => sum + valueOf(host) * host.cpus, 0) / cpus;
}

function stay(reason: string): SizeVerdict {
  return { kind: "stay", reason };
}

function shown(value: number): string {
  return value.toFixed(0);
}
