import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

// The path of a Unix socket may have at most 107 bytes, and a gate's temporary folder may lie deep.
const SHORT_BYTES = 60;

/** Gives a temporary folder whose path is short enough for sockets, and `remove`. */
export async function temporaryFolder() {
  const parent = Buffer.byteLength(tmpdir()) <= SHORT_BYTES ? tmpdir() : "/tmp";
  const folder = await mkdtemp(path.join(parent, "hello-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
