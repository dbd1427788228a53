import { readFile } from "node:fs/promises";

/** Starts watching; the answer tells which share (0 to 1) of the machine's time went to others since then. */
export async function watchSteal(): Promise<() => Promise<number>> {
  const before = await processorTime();
  return async () => {
    const after = await processorTime();
    return (after.steal - before.steal) / Math.max(1, after.total - before.total);
  };
}

/** proc(5), /proc/stat: `cpu user nice system idle iowait irq softirq steal guest guest_nice`; guest is part of user. */
async function processorTime(): Promise<{ total: number; steal: number }> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  const times = line.split(/\s+/).slice(1, 9).map(Number);
  return { total: times.reduce((total, time) => total + time, 0), steal: times[7] ?? 0 };
}
