import { readFile } from "node:fs/promises";
import type { User } from "../../../core/exec/exec.js";
import { writeFileAtomically } from "../../../core/files/atomic-file.js";
import { hashToken } from "../../../core/secrets.js";

export interface RedisUsersFile {
  readonly path: string;
  /** Of the administrator, which is Sluice. */
  readonly password: string;
  /** Whose file it is, where Redis has a user of its own. */
  readonly owner: User | undefined;
}

/**
 * The administrator's line, then those of the apps among `lines` (`ACL LIST`). Redis itself never writes the file: `ACL SAVE`
 * does so in place, and a crash then leaves an empty one, with which Redis starts with an administrator without a password.
 */
export async function writeRedisUsers(file: RedisUsersFile, lines: readonly string[]): Promise<void> {
  const apps = lines.filter((line) => line.startsWith("user ") && !line.startsWith("user default "));
  const admin = `user default on #${hashToken(file.password)} ~* &* +@all`;
  const text = `${[admin, ...[...apps].sort()].join("\n")}\n`;
  if ((await readFile(file.path, "utf8").catch(() => "")) !== text)
    await writeFileAtomically(file.path, text, 0o600, file.owner);
}
