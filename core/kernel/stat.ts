import { count, fieldsOf } from "./fields.js";

/** What the processors did since the machine's start, in clock ticks over all of them. */
export interface CpuTimes {
  /** With what was niced; guests are in it. */
  readonly user: number;
  /** With interrupts. */
  readonly system: number;
  readonly iowait: number;
  /** Taken by the hypervisor while there was something to do. */
  readonly steal: number;
  readonly idle: number;
  readonly cpus: number;
}

/** proc(5), /proc/stat: `cpu user nice system idle iowait irq softirq steal guest guest_nice`; old kernels end earlier. */
export function parseStat(text: string): CpuTimes | undefined {
  const fields = fieldsOf(text, "cpu");
  if (fields === undefined || fields.length < 4) return undefined;
  const times = fields.slice(0, 8).map(count);
  if (times.includes(undefined)) return undefined;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = times;
  const cpus = text.match(/^cpu\d+ /gm)?.length ?? 1;
  return { user: user + nice, system: system + irq + softirq, iowait, steal, idle, cpus };
}
