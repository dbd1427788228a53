import type { CpuLimit } from "./own-limits.js";
import type { InstanceReading } from "./instance-usage.js";
import type { CpuTimes } from "../../core/kernel/stat.js";
import type { NetworkBytes } from "../../core/kernel/net-dev.js";

/** What a host's counters stood at. Two of them make a sample. */
export interface Reading {
  /** ms of a clock that only goes forward. */
  readonly monotonicMs: number;
  readonly cpu: CpuTimes;
  readonly cpuLimit: CpuLimit | undefined;
  readonly memory: { readonly usedBytes: number; readonly totalBytes: number };
  readonly load1: number | undefined;
  /** µs since the start in which somebody waited. */
  readonly waitedMicroseconds: { cpu: number; memory: number; io: number } | undefined;
  readonly disk: { readonly usedBytes: number; readonly availableBytes: number } | undefined;
  readonly network: NetworkBytes | undefined;
  readonly instances: ReadonlyMap<string, InstanceReading>;
}
