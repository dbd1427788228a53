import type { Settings } from "../../core/settings/settings.js";
import { gitConfig, STREAMED_BLOBS } from "../git/git-config.js";
import { gitEnvironment } from "../git/git-environment.js";

export interface ReceivePackOptions {
  readonly gitHome: string;
  /** Folder of `pre-receive` and `post-receive`. */
  readonly hooksFolder: string;
  readonly settings: Pick<Settings, "limits">;
  /** How the hooks of this push reach the server. */
  readonly hookEnv: Readonly<Record<string, string>>;
}

/**
 * The environment of `git receive-pack` and `git http-backend`. Its settings come by GIT_CONFIG_COUNT (git-config(1)), so
 * that a repository knows nothing of where Sluice is installed, and an upgrade has nothing to change in it.
 */
export function receivePackEnvironment({
  gitHome,
  hooksFolder,
  settings,
  hookEnv,
}: ReceivePackOptions): Record<string, string> {
  const config = {
    "core.hooksPath": hooksFolder,
    "receive.fsckObjects": "true",
    "receive.advertisePushOptions": "true",
    "receive.maxInputSize": String(settings.limits.pushMegabytes * 1024 * 1024),
    "receive.denyDeleteCurrent": "ignore",
    "receive.autogc": "false",
    "http.receivepack": "true",
    "uploadpack.allowAnySHA1InWant": "false",
    "safe.directory": "*",
  };
  return {
    ...gitEnvironment(gitHome),
    ...hookEnv,
    ...gitConfig([...Object.entries(config), STREAMED_BLOBS]),
  };
}
