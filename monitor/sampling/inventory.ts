import { cpus, release, totalmem, type } from "node:os";
import { outputOf } from "../../core/exec/exec.js";
import { inventorySchema, type Inventory } from "../../core/records/hosts/host-record.js";

/** What Node.js itself knows of this machine. */
export function basicInventory(): Inventory {
  const [processor] = cpus();
  return {
    system: type(),
    kernel: release(),
    processor: processor?.model.trim() ?? "",
    cpus: cpus().length,
    memoryMegabytes: Math.round(totalmem() / 1024 / 1024),
    virtual: "",
  };
}

/**
 * All of it. Asked once, in a process of its own: the library runs programs, and would take memory for as long as we live. What
 * cannot be found out is as Node.js knows it.
 */
export async function fullInventory(path: string, signal: AbortSignal): Promise<Inventory> {
  // As it is built: this file is a part of a chunk (bin/build).
  const script = new URL("../monitor/sampling/inventory-process.js", import.meta.url).pathname;
  const text = await outputOf({ argv: [process.execPath, script], env: { PATH: path } }, { signal });
  return inventorySchema.parse({ ...basicInventory(), ...inventorySchema.partial().parse(JSON.parse(text)) });
}
