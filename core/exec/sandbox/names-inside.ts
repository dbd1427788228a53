import { lstat } from "node:fs/promises";
import { quote } from "../quote.js";
import type { User } from "../exec.js";

export interface InsideNames {
  /** Arguments of bwrap(1). */
  readonly args: readonly string[];
  /** What the shell that starts it adds to its command: here-documents that these arguments read. */
  readonly input: string;
}

const USERS = "/etc/passwd";
const HOSTS = "/etc/hosts";

/** Those of the two files that can be covered by others. */
export async function coverableFiles(): Promise<ReadonlySet<string>> {
  const kinds = await Promise.all([USERS, HOSTS].map(async (file) => lstat(file).catch(() => undefined)));
  return new Set([USERS, HOSTS].filter((_, index) => kinds[index]?.isFile()));
}

/**
 * A name for the program's user and an address for its machine's name, in front of what the system's files say. Without the
 * one `os.userInfo()`, whoami and ssh fail, without the other whatever looks up its own machine.
 */
export function namesInside(
  { uid, gid }: Pick<User, "uid" | "gid">,
  { home, hostname }: { readonly home: string; readonly hostname: string },
  files: ReadonlySet<string>,
): InsideNames {
  const lines = [
    { file: USERS, descriptor: 8, line: `app:x:${uid}:${gid}::${home}:/bin/sh` },
    { file: HOSTS, descriptor: 9, line: `127.0.1.1 ${hostname}` },
  ].filter(({ file }) => files.has(file));
  return {
    args: lines.flatMap(({ file, descriptor }) => [
      ...["--perms", "0644", "--ro-bind-data", String(descriptor), file],
    ]),
    input: [
      lines.map(({ descriptor }) => `${descriptor}<<END`).join(" "),
      ...lines.flatMap(({ file, line }) => [`$(echo ${quote(line)}; cat ${file})`, "END"]),
    ].join("\n"),
  };
}
