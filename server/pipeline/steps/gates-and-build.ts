import { keptManifest, readManifest } from "../../builds/manifest/manifest.js";
import { withDeadline } from "../runner/deadline.js";
import { sealTree } from "../../builds/seal-tree.js";
import { userOf } from "../../machine.js";
import type { Step } from "../step.js";
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
    const { gatesSeconds, buildSeconds } = work.tools.settings.limits;
    const other = new AbortController();
    const stop = AbortSignal.any([signal, other.signal]);
    const sides = [
      withDeadline("gates", gatesSeconds * 1000, stop, gated),
      withDeadline("build", buildSeconds * 1000, stop, async (end) => runBuild(work, end)),
    ];
    try {
      await Promise.all(sides);
    } catch (error) {
      other.abort(error);
      await Promise.allSettled(sides);
      throw error;
    }
    // A build may write app.json or the Procfile; afterwards only its record counts.
    const { home, settings } = work.tools;
    const tree = home.tree(work.app.name, work.record.number);
    await sealTree(tree, userOf(work.app, work.tools), work.tools.path);
    const manifest = keptManifest(await readManifest(tree, settings.instances));
    const image = await work.tools.images?.publish(work, signal);
    return { manifest, artifact: { ...work.record.artifact, ...(image === undefined ? {} : { image }) } };

    async function gated(end: AbortSignal): Promise<void> {
      await runGates(work, end);
      work.record = await work.tools.releases.advance(work.record, "gated");
    }
  },
};
