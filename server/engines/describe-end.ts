import { describeExit, type Exit } from "../../core/exec/exec.js";
import type { InstanceLimits } from "./engine.js";

const WHY = {
  memory: ", out of memory",
  "perhaps memory": ", perhaps out of memory",
  disk: ": it has written more to disk than instances.scratchMegabytes",
} as const;

/** How an instance ended: `status 3`, `killed by SIGKILL, out of memory`. */
export function describeEnd(exit: Exit, why?: keyof typeof WHY): string {
  return `${describeExit(exit)}${why === undefined ? "" : WHY[why]}`;
}

/** What an instance's log says when the kernel has ended the instance, or a part of it, for want of memory. */
export function memoryLine({ memoryMegabytes }: Pick<InstanceLimits, "memoryMegabytes">): string {
  return `sluice: ended, out of memory; its limit is ${memoryMegabytes} MB (sluice.memoryMegabytes in app.json)`;
}
