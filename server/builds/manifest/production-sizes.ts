import type { ReleaseProcess } from "../../../core/records/releases/release-process.js";
import type { ScaleSettings } from "../../../core/records/releases/scale-settings.js";

/**
 * How many instances of each process production is to have: what `formation` says; else as many as it has now, which
 * `sluice scale` or the autoscaler may have chosen, within the bounds of `scale`.
 */
export function productionSizes(
  processes: readonly ReleaseProcess[],
  {
    fixedSizes,
    scale,
  }: { readonly fixedSizes: readonly string[]; readonly scale: ScaleSettings | undefined },
  present: readonly ReleaseProcess[],
): ReleaseProcess[] {
  return processes.map((process) => {
    if (fixedSizes.includes(process.name)) return process;
    const now = present.find(({ name }) => name === process.name)?.quantity ?? process.quantity;
    if (process.name !== "web" || scale === undefined) return { ...process, quantity: now };
    return { ...process, quantity: Math.min(scale.max, Math.max(scale.min, now)) };
  });
}
