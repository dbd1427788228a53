import { atLowPriority } from "../../core/exec/low-priority.js";
import { outputOf, type User } from "../../core/exec/exec.js";

/**
 * Gives what the builder has made to the app, whose instances only see it through layers of their own: from now on nobody
 * changes it. Every process of the builder in it has ended. A change of owner takes setuid bits away (chown(2)).
 */
export async function sealTree(tree: string, user: User | undefined, path: string): Promise<void> {
  if (user === undefined) return;
  const argv = ["chown", "-R", "-h", `${user.uid}:${user.gid}`, "--", tree] as const;
  await outputOf({ argv: atLowPriority(argv), env: { PATH: path } });
}
