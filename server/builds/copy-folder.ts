import { atLowPriority } from "../../core/exec/low-priority.js";
import { outputOf, type User } from "../../core/exec/exec.js";

/** Makes `to`, which must not exist, a copy that `user` owns. Copy-on-write where the file system can: it costs neither time nor space. */
export async function copyFolder(
  from: string,
  to: string,
  user: User | undefined,
  path: string,
): Promise<void> {
  const env = { PATH: path };
  const kept = "--preserve=mode,timestamps,links";
  await outputOf({ argv: atLowPriority(["cp", "-R", "-P", "--reflink=auto", kept, "--", from, to]), env });
  if (user === undefined) return;
  await outputOf({ argv: atLowPriority(["chown", "-R", "-h", `${user.uid}:${user.gid}`, "--", to]), env });
}
