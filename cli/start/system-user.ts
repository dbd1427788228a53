import { chown, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { User } from "../../core/exec/exec.js";

/** A user of this machine by name (passwd(5)), for a service that need not be root; undefined when there is none. */
export async function systemUser(name: string): Promise<User | undefined> {
  const line = (await readFile("/etc/passwd", "utf8").catch(() => ""))
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** Gives a folder and what lies in it to a user. */
export async function chownTo(folder: string, user: User | undefined): Promise<void> {
  if (user === undefined) return;
  await chown(folder, user.uid, user.gid);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await chownTo(path, user);
    else await chown(path, user.uid, user.gid);
  }
}
