import { mkdir, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { DroppedLines } from "../../../core/api/apps/access-log.js";

/** What waits for the disk. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;
/** Older files are kept beside the one that is written. */
const OLDER_FILES = 3;

export interface AccessFileOptions {
  readonly folder: string;
  readonly app: string;
  /** Of all its files together. */
  readonly maxBytes: number;
  readonly now: () => number;
}

/**
 * An app's access log: lines in `current`, which becomes `@TIME` when it is long enough, as svlogd(8) does it. Who writes to it
 * never waits. What the disk does not take in time is dropped, and a line says how much that was.
 */
export class AccessFile {
  private waiting: string[] = [];
  private waitingBytes = 0;
  private dropped = 0;
  private file: { readonly handle: FileHandle; bytes: number } | undefined;
  private writing: Promise<void> | undefined;

  constructor(private readonly options: AccessFileOptions) {}

  /** How many lines were dropped since the last line that says so. */
  get droppedLines(): number {
    return this.dropped;
  }

  /** `line`: without its end. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.waitingBytes + bytes > MOST_WAITING_BYTES) {
      this.dropped++;
      return;
    }
    this.waiting.push(line);
    this.waitingBytes += bytes;
    this.writing ??= this.writeAll();
  }

  /** Resolves when all is written, or dropped. */
  async close(): Promise<void> {
    await this.writing;
    await this.file?.handle.close();
    this.file = undefined;
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const lines = this.waiting;
      this.waiting = [];
      const dropped = this.dropped;
      try {
        await this.append(dropped === 0 ? lines : [this.droppedLine(), ...lines]);
        this.dropped -= dropped;
      } catch {
        // A full disk, or a folder that is gone: the next lines try again.
        this.dropped += lines.length;
        await this.file?.handle.close().catch(() => undefined);
        this.file = undefined;
      }
      this.waitingBytes = this.waiting.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    }
    this.writing = undefined;
  }

  private droppedLine(): string {
    const { app, now } = this.options;
    const line: DroppedLines = { time: new Date(now()).toISOString(), app, dropped: this.dropped };
    return JSON.stringify(line);
  }

  private async append(lines: readonly string[]): Promise<void> {
    const most = this.options.maxBytes / (OLDER_FILES + 1);
    let text = "";
    const flush = async (): Promise<void> => {
      this.file ??= await this.openCurrent();
      const bytes = Buffer.from(text);
      text = "";
      await this.file.handle.appendFile(bytes);
      this.file.bytes += bytes.length;
    };
    this.file ??= await this.openCurrent();
    let { bytes } = this.file;
    for (const line of lines) {
      const more = Buffer.byteLength(line) + 1;
      if (bytes + more > most && bytes > 0) {
        await flush();
        await this.rotate();
        bytes = 0;
      }
      text += `${line}\n`;
      bytes += more;
    }
    await flush();
  }

  private async openCurrent(): Promise<{ handle: FileHandle; bytes: number }> {
    const { folder } = this.options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(join(folder, "current"), "a+", 0o600);
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    // A line that was cut, by a crash or a full disk, ends here.
    const isCut = size > 0 && last.toString() !== "\n";
    if (isCut) await handle.appendFile("\n");
    return { handle, bytes: size + Number(isCut) };
  }

  private async rotate(): Promise<void> {
    const { folder, now } = this.options;
    await this.file?.handle.close();
    this.file = undefined;
    const older = (await readdir(folder)).filter((name) => name.startsWith("@")).sort();
    await rename(join(folder, "current"), join(folder, nameAfter(older.at(-1), now())));
    for (const name of older.slice(0, Math.max(0, older.length + 1 - OLDER_FILES)))
      await rm(join(folder, name), { force: true });
  }
}

/** `@` and milliseconds since 1970, later than the last one's: the order of the names is that of the files. */
function nameAfter(last: string | undefined, now: number): string {
  const after = last === undefined ? 0 : Number(last.slice(1)) + 1;
  return `@${String(Math.max(now, after)).padStart(15, "0")}`;
}
