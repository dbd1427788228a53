import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { removeTree } from "../../../core/files/remove-tree.js";
import type { Home } from "../../../core/home.js";
import type { InstanceSpec } from "../engine.js";

const SOCKET = "s";

/** The path of an instance's socket, in a folder that this instance alone finds in its sandbox. */
export async function prepareSocket(
  { id, app, user }: Pick<InstanceSpec, "id" | "app" | "user">,
  home: Home,
  /** The proxy's; undefined: root's. */
  group = 0,
): Promise<string> {
  const ofApp = home.sockets(app);
  const folder = join(ofApp, id.split(".").slice(1).join("."));
  await mkdir(folder, { recursive: true });
  if (user !== undefined) {
    // The way there is the proxy's and ours.
    for (const above of [dirname(ofApp), ofApp]) {
      await chown(above, 0, group);
      await chmod(above, 0o710);
    }
    // Sticky, and not the app's: neither we nor the proxy follow a link that it puts there (proc(5), protected_symlinks).
    // The proxy's group is handed down to the socket (setgid).
    await chown(folder, 0, group);
    await chmod(folder, 0o3777);
  }
  return join(folder, SOCKET);
}

/** Earlier versions had the sockets of an app in one folder. */
export async function removeSocket(path: string): Promise<void> {
  if (basename(path) === SOCKET) await removeTree(dirname(path));
  else await rm(path, { force: true });
}
