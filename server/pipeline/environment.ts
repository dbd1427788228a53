import { releaseName } from "../../core/names.js";
import { nodePath } from "../builds/node/node-path.js";
import { localControlUrl } from "../releases/public-url.js";
import type { ReleaseWork } from "./step.js";

/** What builds and gates see: no secret of the app or of Sluice. */
export function taskEnvironment({ app, record, tools }: ReleaseWork): Record<string, string> {
  return {
    ...tools.networkEnv,
    PATH: nodePath(record.artifact, tools.path),
    HOME: tools.home.buildHome(app.name),
    LANG: "C.UTF-8",
    CI: "true",
    NO_COLOR: "1",
    GIT_REV: record.commit,
    RELEASE: releaseName(record.number),
    SLUICE_APP: app.name,
    SLUICE_TRACK: record.track,
    npm_config_update_notifier: "false",
    npm_config_fund: "false",
    npm_config_audit: "false",
    npm_config_progress: "false",
  };
}

/** What a process of the release sees; `PORT` or `SOCKET` is added by the engine. Section 5 of the design. */
export async function processEnvironment(
  work: ReleaseWork,
  instance: string,
): Promise<Record<string, string>> {
  const { app, record, tools } = work;
  const tree = tools.home.tree(app.name, record.number);
  return {
    PATH: `${tree}/node_modules/.bin:${tree}/.venv/bin:${nodePath(record.artifact, tools.path)}`,
    HOME: tree,
    LANG: "C.UTF-8",
    NODE_ENV: "production",
    REDIS_URL: tools.redisUsers.url(app, tools.apps.redisPassword(app)),
    SLUICE_FLAGS_URL: `${localControlUrl(tools.settings)}/flags/${app.name}`,
    SLUICE_FLAGS_TOKEN: tools.apps.flagsToken(app),
    ...(await tools.config.read(app.name)),
    ...record.previewEnv,
    GIT_REV: record.commit,
    RELEASE: releaseName(record.number),
    DYNO: instance,
    SLUICE_APP: app.name,
    SLUICE_TRACK: record.track,
  };
}
