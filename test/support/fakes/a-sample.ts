import type { Sample } from "../../../core/records/hosts/sample.js";

/** A host that does nothing, but for what a test says. */
export function aSample({
  cpu = 0,
  memory = 0,
  ...rest
}: { cpu?: number; memory?: number } & Partial<Omit<Sample, "cpu" | "memory">> = {}): Sample {
  return {
    cpus: 2,
    cpu: { user: cpu, system: 0, iowait: 0, steal: 0, busy: cpu },
    memory: { usedMegabytes: memory * 10, totalMegabytes: 1000, percent: memory },
    instances: {},
    ...rest,
  };
}
