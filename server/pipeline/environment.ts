import { releaseName } from "../../core/names.js";
import { APP_FOLDER, placedTree } from "../builds/placed-tree.js";
import type { PlacedArtifact } from "../engines/engine.js";
import { IMAGE_PATH } from "../builds/image/image-path.js";
import { nodePath } from "../builds/node/node-path.js";
import { ownValues } from "./release-config.js";
import type { ReleaseWork } from "./step.js";

/**
 * What a process of the release sees, in its tree on this machine, or in its image; `PORT` or `SOCKET` is added by the engine.
 * Section 5 of the design.
 */
export async function processEnvironment(
  work: ReleaseWork,
  instance: string,
  within: PlacedArtifact["kind"],
): Promise<Record<string, string>> {
  const { app, record, tools } = work;
  const config = await tools.config.read(app.name);
  return {
    ...surroundings(work, within),
    REDIS_URL: tools.redisUsers.url(app, tools.apps.redisPassword(app)),
    SLUICE_FLAGS_URL: `${tools.flagsUrl}/${app.name}`,
    SLUICE_FLAGS_TOKEN: tools.apps.flagsToken(app),
    ...config,
    ...(await ownValues(work, config)),
    ...record.previewEnv,
    GIT_REV: record.commit,
    RELEASE: releaseName(record.number),
    DYNO: instance,
    SLUICE_APP: app.name,
    SLUICE_TRACK: record.track,
  };
}

/** A Dockerfile makes its own. */
function surroundings(
  { record, tools }: ReleaseWork,
  within: PlacedArtifact["kind"],
): Record<string, string> {
  if (within === "program") return {};
  const at = within === "image" ? APP_FOLDER : placedTree(tools.home, record).at;
  const own = `${at}/node_modules/.bin:${at}/.venv/bin`;
  return {
    PATH: within === "image" ? IMAGE_PATH : `${own}:${nodePath(record.artifact, tools.path)}`,
    HOME: at,
    LANG: "C.UTF-8",
    NODE_ENV: "production",
  };
}
