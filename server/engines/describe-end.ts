import { describeExit, type Exit } from "../../core/exec/exec.js";
import type { InstanceLimits } from "./engine.js";

/** How an instance ended: `status 3`, `killed by SIGKILL, out of memory`. */
export function describeEnd(exit: Exit, why?: "memory"): string {
  return why === "memory" ? `${describeExit(exit)}, out of memory` : describeExit(exit);
}

/** What an instance's log says when the kernel has ended the instance, or a part of it, for want of memory. */
export function memoryLine({ memoryMegabytes }: Pick<InstanceLimits, "memoryMegabytes">): string {
  return `sluice: ended, out of memory; its limit is ${memoryMegabytes} MB (sluice.memoryMegabytes in app.json)`;
}
