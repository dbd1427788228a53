import type { Artifact } from "../../../core/records/releases/artifact.js";
import { keptManifest, readManifest } from "../../builds/manifest/manifest.js";
import type { PlacedProgram } from "../../engines/engine.js";
import { withDeadline } from "../runner/deadline.js";
import { sealTree } from "../../builds/seal-tree.js";
import { userOf } from "../../machine.js";
import { keepErrorPage } from "../keep-error-page.js";
import type { ReleaseWork, Step } from "../step.js";
import { runBuild } from "./build.js";
import { runGates } from "./gates.js";

/** Each side has a time limit of its own, which tells more. */
const SLACK_MS = 60_000;

/** Gates and build, side by side in trees of their own. When one fails, the other is stopped. */
export const gatesAndBuild: Step = {
  name: "gates and build",
  reaches: "built",
  timeoutMs: ({ limits }) => Math.max(limits.gatesSeconds, limits.buildSeconds) * 1000 + SLACK_MS,
  run: async (work, signal) => {
    const { home, settings, dockerfiles } = work.tools;
    const { gatesSeconds, buildSeconds } = settings.limits;
    const tree = home.tree(work.app.name, work.record.number);
    const { dockerfile } = await readManifest(tree, settings);
    const other = new AbortController();
    const stop = AbortSignal.any([signal, other.signal]);
    const gates = withDeadline("gates", gatesSeconds * 1000, stop, gated);
    const build = withDeadline("build", buildSeconds * 1000, stop, async (end) => runBuild(work, end));
    try {
      const [, program] = await Promise.all([gates, build]);
      // A build may write app.json or the Procfile; afterwards only its record counts.
      await sealTree(tree, userOf(work.app, work.tools), work.tools.path);
      const kept = keptManifest(await readManifest(tree, settings));
      const manifest = { ...kept, ...(await keepErrorPage(work, tree)) };
      return { manifest, artifact: await publish(work, program, signal) };
    } catch (error) {
      other.abort(error);
      await Promise.allSettled([gates, build]);
      throw error;
    } finally {
      if (dockerfile !== undefined) await dockerfiles?.forget(work);
    }

    async function gated(end: AbortSignal): Promise<void> {
      await runGates(work, end);
      work.record = await work.tools.releases.advance(work.record, "gated");
    }
  },
};

/** Where several hosts need it, they can fetch it from now on. */
async function publish(
  work: ReleaseWork,
  program: PlacedProgram | undefined,
  signal: AbortSignal,
): Promise<Artifact> {
  const { dockerfiles, images } = work.tools;
  const { artifact } = work.record;
  if (program !== undefined && dockerfiles !== undefined) return dockerfiles.publish(work, program, signal);
  if (images === undefined || artifact.kind !== "tree") return artifact;
  return { ...artifact, image: await images.publish(work, signal) };
}
