import { open, rename, type FileHandle } from "node:fs/promises";
import { Writable } from "node:stream";

/** So much may wait for a slow disk; what comes then is lost. */
const LONGEST_WAITING_BYTES = 1024 * 1024;

/**
 * A log file that puts itself aside (`NAME.1`) when it has grown to `maxBytes`. What cannot be written is lost, and how much
 * stands in the file once it can be again: a full disk must not end what logs.
 */
export class LogFile extends Writable {
  private file: FileHandle | undefined;
  private bytes = 0;
  private lost = 0;

  constructor(
    private readonly path: string,
    private readonly maxBytes: number,
  ) {
    super({ decodeStrings: true });
  }

  override write(chunk: unknown, ...rest: unknown[]): boolean {
    if (this.writableLength > LONGEST_WAITING_BYTES) {
      this.lost++;
      return false;
    }
    // The overloads of Writable.write, handed on as they came.
    return (super.write as (...all: unknown[]) => boolean).call(this, chunk, ...rest);
  }

  override _write(line: Buffer, _encoding: string, done: () => void): void {
    this.append(line)
      .catch(async () => {
        this.lost++;
        // Another one next time: this one may be gone, or on a disk that is.
        await this.close().catch(() => undefined);
      })
      .finally(done);
  }

  override _final(done: () => void): void {
    this.close()
      .catch(() => undefined)
      .finally(done);
  }

  private async append(line: Buffer): Promise<void> {
    if (this.bytes >= this.maxBytes) {
      await this.close();
      await rename(this.path, `${this.path}.1`);
    }
    const file = await this.opened();
    // A line of which only a part found room must not swallow the next one.
    const before = this.bytes;
    try {
      const told = this.lost > 0 ? Buffer.concat([lossLine(this.lost), line]) : line;
      await file.writeFile(told);
      this.bytes += told.length;
      this.lost = 0;
    } catch (error) {
      await file.truncate(before).catch(() => undefined);
      throw error;
    }
  }

  private async opened(): Promise<FileHandle> {
    if (this.file === undefined) {
      this.file = await open(this.path, "a", 0o600);
      this.bytes = (await this.file.stat()).size;
    }
    return this.file;
  }

  private async close(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    this.bytes = 0;
    await file?.close();
  }
}

function lossLine(lines: number): Buffer {
  const record = { level: 40, time: new Date().toISOString(), lines, msg: "log lines were lost" };
  return Buffer.from(`${JSON.stringify(record)}\n`);
}
