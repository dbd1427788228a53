import { readFileSync, statfsSync } from "node:fs";
import { CGROUPS } from "../../core/instances/control-group.js";
import type { Home } from "../../core/home.js";
import type { InstanceUsage } from "./instance-usage.js";
import { OwnLimits } from "./own-limits.js";
import type { Reading } from "./reading.js";
import { parseAuxv } from "../../core/kernel/auxv.js";
import { KernelFiles } from "../../core/kernel/kernel-files.js";
import { parseLoadavg } from "../../core/kernel/loadavg.js";
import { parseMeminfo } from "../../core/kernel/meminfo.js";
import { parseNetDev } from "../../core/kernel/net-dev.js";
import { parsePressure } from "../../core/kernel/pressure.js";
import { parseStat } from "../../core/kernel/stat.js";

const PROC = "/proc";

/** Reads this host's counters from /proc and its control groups. Starts no process; a reading takes well under a millisecond. */
export class HostReadings {
  private readonly files = new KernelFiles();
  private readonly limits: OwnLimits;

  constructor(
    private readonly home: Home,
    private readonly usage: InstanceUsage,
  ) {
    const units = parseAuxv(ifThere(`${PROC}/self/auxv`));
    const ownGroups = ifThere(`${PROC}/self/cgroup`).toString();
    this.limits = new OwnLimits(this.files, CGROUPS, ownGroups, units.ticksPerSecond);
  }

  /** Undefined where the kernel's own figures cannot be had. */
  async read(): Promise<Reading | undefined> {
    const text = (path: string): string => this.files.read(`${PROC}/${path}`) ?? "";
    const [cpu, meminfo] = [parseStat(text("stat")), parseMeminfo(text("meminfo"))];
    if (cpu === undefined || meminfo === undefined) return undefined;
    const totalBytes = meminfo.totalKilobytes * 1024;
    const memoryLimit = this.limits.memoryLimit(totalBytes);
    const reading: Reading = {
      monotonicMs: performance.now(),
      cpu,
      cpuLimit: this.limits.cpuLimit(cpu.cpus),
      memory: {
        usedBytes: memoryLimit?.usedBytes ?? totalBytes - meminfo.availableKilobytes * 1024,
        totalBytes: memoryLimit?.limitBytes ?? totalBytes,
      },
      load1: parseLoadavg(text("loadavg")),
      waitedMicroseconds: this.waited(text),
      disk: this.disk(),
      network: parseNetDev(text("net/dev")),
      instances: await this.usage.read(),
    };
    this.files.closeUnread();
    return reading;
  }

  close(): void {
    this.files.close();
    this.usage.close();
  }

  private waited(text: (path: string) => string): Reading["waitedMicroseconds"] {
    const [cpu, memory, io] = ["cpu", "memory", "io"].map((name) => parsePressure(text(`pressure/${name}`)));
    return cpu === undefined || memory === undefined || io === undefined ? undefined : { cpu, memory, io };
  }

  /** As df(1) counts: what only root may fill is neither used nor available. */
  private disk(): Reading["disk"] {
    try {
      const { bsize, blocks, bfree, bavail } = statfsSync(this.home.root);
      return { usedBytes: (blocks - bfree) * bsize, availableBytes: bavail * bsize };
    } catch {
      return undefined;
    }
  }
}

/** A kernel without control groups has no such file. */
function ifThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
