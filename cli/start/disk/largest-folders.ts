import { captureCommand } from "../../../core/exec/exec.js";
import type { Home } from "../../../core/home.js";

const TIMEOUT_MS = 20_000;
const SHOWN = 3;
const KILOBYTES_SHOWN = 1024;

export interface LargeFolder {
  /** Within the state folder: `apps/shop`, `logs/redis`. */
  readonly folder: string;
  readonly megabytes: number;
}

/** What takes most of the state folder's room: apps, logs and the like, by du(1). None when that takes too long. */
export async function largestFolders(home: Home, path: string): Promise<LargeFolder[]> {
  const { stdout } = await captureCommand(
    {
      argv: ["du", "--one-file-system", "--block-size=1K", "--max-depth=2", "--", home.root],
      env: { PATH: path, LC_ALL: "C" },
    },
    { signal: AbortSignal.timeout(TIMEOUT_MS) },
  ).catch(() => ({ stdout: "" }));
  return parseDu(stdout, home.root);
}

/** `SIZE<tab>PATH` a line. Of the folders with parts of their own (apps, logs) the parts count. */
export function parseDu(text: string, root: string): LargeFolder[] {
  const sizes = text.split("\n").flatMap((line) => {
    const [, kilobytes, path = ""] = /^(\d+)\t(.+)$/.exec(line) ?? [];
    return kilobytes === undefined || !path.startsWith(`${root}/`)
      ? []
      : [{ folder: path.slice(root.length + 1), kilobytes: Number(kilobytes) }];
  });
  const isWhole = (folder: string): boolean =>
    folder.includes("/") ? PARTED.has(folder.split("/")[0] ?? "") : !PARTED.has(folder);
  return sizes
    .filter(({ folder, kilobytes }) => isWhole(folder) && kilobytes >= KILOBYTES_SHOWN)
    .sort((a, b) => b.kilobytes - a.kilobytes)
    .slice(0, SHOWN)
    .map(({ folder, kilobytes }) => ({ folder, megabytes: Math.round(kilobytes / 1024) }));
}

const PARTED: ReadonlySet<string> = new Set(["apps", "logs"]);
