import { appendFile, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Beside the file that is written, as svlogd does it. */
const OLDER_FILES = 5;
const LAST_BYTES = 65_536;

/**
 * A log in the form in which svlogd keeps one, so that both are read alike: `current`, and older files `@….s`. A line is
 * `2026-11-27_21:23:55.733422343 text`.
 */
export class StoredLog {
  private bytes: number | undefined;
  private rotations = 0;

  constructor(
    private readonly folder: string,
    /** Of all its files together. */
    private readonly mostBytes: number,
  ) {}

  /** When the last line was written that is stored; `2026-11-27T21:23:55.733422343Z`, or empty. */
  async lastTime(): Promise<string> {
    const file = await open(join(this.folder, "current")).catch(() => undefined);
    if (file === undefined) return "";
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - LAST_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      const line = buffer.subarray(0, bytesRead).toString("utf8").trimEnd().split("\n").at(-1) ?? "";
      return /^\d{4}-\d\d-\d\d_[\d:.]+ ?/.test(line) ? `${line.split(" ")[0]?.replace("_", "T") ?? ""}Z` : "";
    } finally {
      await file.close();
    }
  }

  /** `line`: as Docker gives it, the time and the text. */
  async append(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const current = join(this.folder, "current");
    this.bytes ??= await stat(current).then(
      ({ size }) => size,
      () => 0,
    );
    const text = lines.map((line) => `${storedLine(line)}\n`).join("");
    await appendFile(current, text, { mode: 0o600 });
    this.bytes += Buffer.byteLength(text);
    if (this.bytes > this.mostBytes / OLDER_FILES) await this.beginAgain(current);
  }

  private async beginAgain(current: string): Promise<void> {
    // Sorted by when they ended; many lines may have the same time.
    const number = String((this.rotations += 1)).padStart(9, "0");
    await rename(current, join(this.folder, `@${await this.lastTime()}.${number}.s`));
    this.bytes = 0;
    const older = (await readdir(this.folder)).filter((name) => name.startsWith("@")).sort();
    for (const name of older.slice(0, -OLDER_FILES)) await rm(join(this.folder, name), { force: true });
  }
}

function storedLine(line: string): string {
  const [time = ""] = line.split(" ", 1);
  return `${time.replace("T", "_").replace(/Z$/, "")} ${line.slice(time.length + 1)}`;
}
