import { writeFile } from "node:fs/promises";
import { Follower } from "../../../proxy/follow.js";
import { AccessLog } from "../../../proxy/haproxy/access-log/access-log.js";
import { paths } from "../../../proxy/haproxy/config/paths.js";
import { WAKE_HEADER } from "../../../proxy/haproxy/config/text/wake-backend.js";
import { boxOfCertificates } from "../services/box-of-certificates.js";
import { Waker } from "../../../proxy/waker.js";
import { waitUntilUp } from "../services/wait-until-up.js";
import { startPrivateHaproxy } from "../services/private-haproxy.js";
import { systemUser } from "../system-user.js";
import type { RoleOptions } from "./role.js";

/** HAProxy, what keeps it at the routes in Redis, and what wakes a preview that is visited. */
export async function startProxyRole({ context, redis, id, log, atStop }: RoleOptions): Promise<void> {
  const { home, settings, path, isRoot } = context;
  const user = isRoot ? await systemUser("haproxy") : undefined;
  const haproxy = await startPrivateHaproxy(home, settings, path, user, log);
  await waitUntilUp(home, "haproxy", async () => haproxy.apps());
  const folder = home.haproxy().replace(/\/$/, "");
  const waker = new Waker({
    redis,
    path: paths.wakeSocket(folder),
    group: user?.gid,
    header: WAKE_HEADER,
    log,
  });
  const waking = await waker.start();
  atStop(async () => waking.stop());
  const accessLog = new AccessLog({
    pipe: paths.accessPipe(folder),
    folder: home.accessLogs(),
    maxBytes: settings.limits.logMegabytes * 1024 * 1024,
    trustedProxies: settings.trustedProxies,
    droppedByProxy: async () => haproxy.droppedLines(),
    log,
  });
  const logging = await accessLog.start();
  atStop(async () => logging.stop());
  const follower = await new Follower({
    proxy: haproxy,
    redis,
    id,
    domain: settings.domain,
    defaultApp: settings.default,
    extraConnections: (release) => waker.open(release),
    keepLogs: async (isThere) => accessLog.keep(isThere),
    onFollowing: async () => writeFile(paths.following(folder), ""),
    certificateBox: async () => boxOfCertificates(home),
    sharedAddress: settings.fleet.virtualAddress,
    log,
  }).start();
  atStop(async () => follower.stop());
}
