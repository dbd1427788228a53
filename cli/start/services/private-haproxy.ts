import { BEFORE_OTHERS } from "../../../core/exec/low-priority.js";
import { outputOf, type User } from "../../../core/exec/exec.js";
import type { Home } from "../../../core/home.js";
import type { Log } from "../../../core/log.js";
import { serviceState } from "../../../core/exec/runsv.js";
import type { Settings } from "../../../core/settings/settings.js";
import { haproxyScript } from "../../../proxy/haproxy/config/haproxy-command.js";
import type { HaproxyOptions } from "../../../proxy/haproxy/config/haproxy-options.js";
import { prepareFiles } from "../../../proxy/haproxy/config/files.js";
import { Haproxy } from "../../../proxy/haproxy/haproxy.js";
import { startService } from "./service.js";

/** HAProxy keeps a table of as many files as it may open. */
const MOST_FILES = 131_072;

/** HAProxy under its own `runsv`. One that is already running keeps running; a seamless reload gives it a changed configuration. */
export async function startPrivateHaproxy(
  home: Home,
  settings: Settings,
  path: string,
  user: User | undefined,
  log: Log,
): Promise<Haproxy> {
  const options = await haproxyOptions(home, settings, path, user);
  const wasRunning = (await serviceState(home.service("haproxy"))).pid !== undefined;
  const { changed } = await prepareFiles(options);
  const haproxy = new Haproxy(options, log);
  await startService({
    home,
    name: "haproxy",
    run: `${BEFORE_OTHERS}\n${haproxyScript(options.folder)}`,
    path,
  });
  if (wasRunning && changed) await haproxy.reload();
  return haproxy;
}

async function haproxyOptions(
  home: Home,
  settings: Settings,
  path: string,
  user: User | undefined,
): Promise<HaproxyOptions> {
  const { httpsPort = 0 } = settings;
  return {
    folder: home.haproxy().replace(/\/$/, ""),
    bind: settings.bind,
    port: settings.httpPort,
    ...(httpsPort === 0 ? {} : { httpsPort }),
    proxyProtocolFrom: settings.proxyProtocolFrom,
    domain: settings.domain,
    trustedProxies: settings.trustedProxies,
    instancesOn: settings.engine === "swarm" ? "many-machines" : "this-machine",
    openFiles: Math.min(MOST_FILES, await openFilesLimit(path)),
    ...(settings.proxy.maxConnections === undefined ? {} : { maxConnections: settings.proxy.maxConnections }),
    ...(user === undefined ? {} : { user: "haproxy" }),
  };
}

/** `ulimit -Hn` */
async function openFilesLimit(path: string): Promise<number> {
  const limit = Number(await outputOf({ argv: ["/bin/sh", "-c", "ulimit -Hn"], env: { PATH: path } }));
  return Number.isFinite(limit) ? limit : MOST_FILES;
}
