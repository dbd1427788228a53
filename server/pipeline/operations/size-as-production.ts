import type { ReleaseProcess } from "../../../core/records/releases/release-process.js";
import type { ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { productionOf } from "../../routes/production-of.js";
import type { PipelineNeeds } from "../needs.js";
import { manifestOf } from "../../builds/manifest/manifest-of.js";
import { productionSizes } from "../../builds/manifest/production-sizes.js";

/** A release's processes in the numbers that production has now, and no fewer than still run of it. */
export async function sizeAsProduction(
  tools: PipelineNeeds,
  record: ReleaseRecord,
): Promise<ReleaseProcess[]> {
  const { processes, fixedSizes } = await manifestOf(tools, record);
  const production = await productionOf(tools, record.app);
  const bounds = { fixedSizes, scale: record.scale };
  return productionSizes(processes, bounds, production?.processes ?? []).map((process) => {
    const running = record.instances.filter((instance) => instance.process === process.name).length;
    // What runs of it stays what it is.
    const indices = record.processes.find(({ name }) => name === process.name)?.indices;
    const quantity = Math.max(process.quantity, running);
    return { ...process, quantity, ...(indices === undefined ? {} : { indices }) };
  });
}
