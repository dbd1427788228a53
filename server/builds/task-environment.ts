import { releaseName } from "../../core/names.js";
import type { BuildWork } from "./build-work.js";
import { nodePath } from "./node/node-path.js";

/** Where builds find what package managers have downloaded before. */
export const DOWNLOADS = "/downloads";

/** What builds and gates see: no secret of the app or of Sluice. */
export function taskEnvironment(work: BuildWork): Record<string, string> {
  const { record, tools } = work;
  return {
    ...tools.networkEnv,
    PATH: nodePath(record.artifact, tools.path),
    HOME: "/tmp",
    npm_config_cache: `${DOWNLOADS}/npm`,
    PIP_CACHE_DIR: `${DOWNLOADS}/pip`,
    YARN_CACHE_FOLDER: `${DOWNLOADS}/yarn`,
    XDG_CACHE_HOME: `${DOWNLOADS}/other`,
    LANG: "C.UTF-8",
    ...releaseEnvironment(work),
    npm_config_update_notifier: "false",
    npm_config_fund: "false",
    npm_config_audit: "false",
    npm_config_progress: "false",
  };
}

/** The same wherever it runs. */
export function releaseEnvironment({ app, record }: BuildWork): Record<string, string> {
  return {
    CI: "true",
    NO_COLOR: "1",
    GIT_REV: record.commit,
    RELEASE: releaseName(record.number),
    SLUICE_APP: app.name,
    SLUICE_TRACK: record.track,
  };
}
