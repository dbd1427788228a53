import { AppError } from "../../../core/errors/app-error.js";
import { isPreview } from "../../../core/records/routes/route-table.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { productionOf } from "../../routes/production-of.js";
import { ownFolder } from "../../builds/own-folder.js";
import { readErrorPage } from "../../builds/manifest/error-page.js";
import { forTrack, readManifest } from "../../builds/manifest/manifest.js";
import { refuseTaken, withDeclared } from "../../routes/own-domains.js";
import type { ReleaseWork, Step } from "../step.js";
import { builderOf } from "../../machine.js";

const UNUSED_DOCKERFILE =
  'The Dockerfile is not used: only the engine swarm builds it. "dockerfile": false in app.json ends this line.';
const CHECKOUT_TIMEOUT_MS = 120_000;

/** The commit's files, without the history, in a folder that only this release has. */
export const checkout: Step = {
  name: "checkout",
  reaches: "checked-out",
  timeoutMs: () => CHECKOUT_TIMEOUT_MS,
  run: async (work, signal) => {
    const { repository, record, tools, out } = work;
    out.heading(`Checking out ${record.commit.slice(0, 10)} of ${record.branch}`);
    await repository.refuseUnfitTree(record.commit);
    const tree = await freshFolder(work);
    await repository.extract(record.commit, tree, builderOf(work.app, tools), signal);
    const manifest = await readManifest(tree, tools.settings);
    if (tools.images !== undefined && manifest.serving.listen === "socket")
      throw new AppError("engine-no-sockets", {});
    // Before anything is built. The page itself is kept afterwards, since a build may write it.
    if (!isPreview(record.track)) await readErrorPage(tree);
    if (manifest.hasUnusedDockerfile) out.line(UNUSED_DOCKERFILE);
    const { name: app } = work.app;
    const { domains } = manifest.appJson.sluice;
    if (!isPreview(record.track) && domains.length > 0) {
      withDeclared(await tools.routes.read(app), domains);
      await refuseTaken(tools.routes, app, domains);
    }
    return forTrack(manifest, record.track, (await productionOf(tools, app))?.processes);
  },
  undo: async ({ tools, record }) => {
    // What was said stays, so that it can be read afterwards.
    await removeTree(tools.home.tree(record.app, record.number));
    await removeTree(tools.home.gatesTree(record.app, record.number));
  },
};

/** The builder's own; nobody else can look into it. */
async function freshFolder({ tools, app, record }: ReleaseWork): Promise<string> {
  const tree = tools.home.tree(app.name, record.number);
  await removeTree(tree);
  await ownFolder(tree, builderOf(app, tools));
  return tree;
}
