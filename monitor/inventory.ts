import { cpu, osInfo, system } from "systeminformation";
import { cpus, totalmem } from "node:os";
import type { Inventory } from "../core/records/host-record.js";

/** What this machine is. Asks other programs, so it is asked once, at the start. */
export async function inventory(): Promise<Inventory> {
  const [os, processor, machine] = await Promise.all([
    osInfo().catch(() => undefined),
    cpu().catch(() => undefined),
    system().catch(() => undefined),
  ]);
  return {
    system: `${os?.distro ?? ""} ${os?.release ?? ""}`.trim(),
    kernel: os?.kernel ?? "",
    processor: `${processor?.manufacturer ?? ""} ${processor?.brand ?? ""}`.trim(),
    cpus: cpus().length,
    memoryMegabytes: Math.round(totalmem() / 1024 / 1024),
    virtual: machine?.virtual === true ? (machine.virtualHost ?? "virtual") : "",
  };
}
