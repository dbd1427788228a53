import { Readable } from "node:stream";
import { endGroup } from "../../core/exec/exec.js";
import { startPiped } from "../../core/exec/start-piped.js";

const LONGEST_COMPLAINT = 1000;

export interface GitRepository {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What a git command writes, as it comes, for what may be larger than memory. Git is ended when the reader stops reading.
 * Throws what git complained of.
 */
export async function* gitBytes(
  { path, env }: GitRepository,
  args: readonly string[],
  input: Iterable<string> = [],
): AsyncGenerator<Buffer> {
  const child = startPiped({ argv: ["git", "-C", path, ...args], env });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(0, LONGEST_COMPLAINT);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve).once("error", reject);
  });
  ended.catch(() => undefined);
  // Git may end before it has read all.
  child.stdin.on("error", () => undefined);
  Readable.from(input).pipe(child.stdin);
  let isComplete = false;
  try {
    for await (const chunk of child.stdout) {
      // A process's stream without an encoding is of buffers.
      yield chunk as Buffer;
    }
    isComplete = true;
  } finally {
    if (!isComplete) endGroup(child.pid, "SIGKILL");
  }
  if ((await ended) !== 0) throw new Error(`git ${args[0] ?? ""} failed: ${complaint.trim()}`);
}
