import { AppError } from "../../core/app-error.js";
import { releaseName } from "../../core/names.js";
import type { ReleaseProcess, ReleaseRecord } from "../../core/records/release-record.js";
import { CANARY, PRODUCTION, type RouteTable } from "../../core/records/route-table.js";
import { applied } from "../releases/applied.js";
import { publicUrl } from "../releases/public-url.js";
import { withLive } from "../releases/route-changes.js";
import type { Tools } from "../tools.js";
import { healthyInstances } from "./healthy-instances.js";
import { forTrack, readManifest } from "./manifest/manifest.js";
import type { Output } from "./output.js";
import type { Pipeline } from "./pipeline.js";
import { prune } from "./prune.js";
import type { ReleaseWork } from "./step.js";

/**
 * The canary's release becomes production: the same build and the same instances, joined by as many as production needs,
 * all of them healthy before the switch. Production's release drains, or stays on standby for a rollback. A failure before
 * the switch changes nothing. `only`: if the canary is this release. Throws `canary-none`.
 */
export async function promote(
  tools: Tools,
  pipeline: Pipeline,
  app: string,
  out: Output,
  { signal, only }: { readonly signal: AbortSignal; readonly only?: number },
): Promise<ReleaseRecord> {
  const place = {
    app,
    what: "a promotion",
    signal,
    onWait: (ahead: string) => out.heading(`Waiting for ${ahead}`),
  };
  return pipeline.exclusively(place, async (stop) => {
    const table = await tools.routes.read(app);
    const canary = await canaryOf(tools, app, table, only);
    const work = await pipeline.work(canary, out, { quarantine: {}, skipGates: false });
    out.heading(`Promoting ${releaseName(canary.number)} (${canary.commit.slice(0, 10)})`);
    const promoted = await atProductionsSize(work, table, stop);
    const revision = await tools.routes.update(app, (now) => withLive(now, promoted, tools.clock.now()), [
      promoted,
    ]);
    tools.changes.tell(canary, promoted);
    await applied(tools, revision);
    await prune(tools, app);
    const seconds = ((tools.clock.now() - work.beganAt) / 1000).toFixed(1);
    out.heading(
      `Live: ${publicUrl(tools.settings, promoted)} (${releaseName(promoted.number)}, ${seconds} s)`,
    );
    return promoted;
  });
}

async function canaryOf(
  tools: Tools,
  app: string,
  { tracks }: RouteTable,
  only: number | undefined,
): Promise<ReleaseRecord> {
  const number = tracks[CANARY];
  const isMeant = number !== undefined && (only ?? number) === number;
  const record = isMeant ? await tools.releases.find(app, number) : undefined;
  if (record === undefined) throw new AppError("canary-none", { app });
  return record;
}

/** The record as production's, with all its instances healthy; those that were started for it go again when one is not. */
async function atProductionsSize(
  work: ReleaseWork,
  table: RouteTable,
  signal: AbortSignal,
): Promise<ReleaseRecord> {
  const { tools, record: canary } = work;
  const tree = tools.home.tree(canary.app, canary.number);
  const manifest = await readManifest(tree, tools.settings.instances.memoryMegabytes);
  const present = table.tracks[PRODUCTION];
  const production = present === undefined ? undefined : await tools.releases.find(canary.app, present);
  const processes = forTrack(manifest, PRODUCTION).processes.map((process) =>
    atLeast(process, production?.processes ?? []),
  );
  work.record = { ...canary, track: PRODUCTION, processes };
  return { ...work.record, instances: await healthyInstances(work, canary.instances, signal) };
}

/** Production may run more of them than its files say. */
function atLeast(process: ReleaseProcess, present: readonly ReleaseProcess[]): ReleaseProcess {
  const quantity = present.find(({ name }) => name === process.name)?.quantity ?? 0;
  return { ...process, quantity: Math.max(process.quantity, quantity) };
}
