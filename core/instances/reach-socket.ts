import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Only to be named, not to be read (open(2)); Node.js has no name for it. */
const O_PATH = 0o10_000_000;

export interface ReachedSocket {
  /** For connect(2), until it is closed. */
  readonly path: string;
  readonly close: () => Promise<void>;
}

/**
 * The socket that lies at a path of an app's folder: that very one, whatever the app puts in its place meanwhile. A link
 * there is not followed: it may lead to a socket that we may open and the app may not. Throws an `Error`, with the code `ENOENT`
 * when there is nothing.
 */
export async function reachSocket(path: string): Promise<ReachedSocket> {
  const handle = await open(path, O_PATH | constants.O_NOFOLLOW);
  if ((await handle.stat()).isSocket())
    return { path: `/proc/self/fd/${handle.fd}`, close: async () => handle.close() };
  await handle.close();
  throw new Error(`${path} is not a socket`);
}
