import type { ReleaseProcess, ReleaseRecord } from "../../../core/records/releases/release-record.js";
import { productionOf } from "../../routes/production-of.js";
import type { Tools } from "../../tools.js";
import { readManifest } from "../../builds/manifest/manifest.js";
import { productionSizes } from "../../builds/manifest/production-sizes.js";

/** A release's processes in the numbers that production has now, and no fewer than still run of it. */
export async function sizeAsProduction(
  tools: Tools,
  { app, number, instances }: ReleaseRecord,
): Promise<ReleaseProcess[]> {
  const { processes, appJson } = await readManifest(
    tools.home.tree(app, number),
    tools.settings.instances.memoryMegabytes,
  );
  const production = await productionOf(tools, app);
  return productionSizes(processes, appJson, production?.processes ?? []).map((process) => {
    const running = instances.filter((instance) => instance.process === process.name).length;
    return { ...process, quantity: Math.max(process.quantity, running) };
  });
}
