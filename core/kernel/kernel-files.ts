import { closeSync, openSync, readSync } from "node:fs";

/** What is read from one file at most: /proc/stat of a machine with a thousand processors fits. */
const LONGEST_BYTES = 256 * 1024;

/**
 * Texts that the kernel makes when they are read (proc, cgroups). Each file stays open and is read again from its start, in
 * place: half the price of opening it each time, a tenth of `readFileSync`. A file that is gone is undefined.
 */
export class KernelFiles {
  private readonly buffer = Buffer.allocUnsafe(LONGEST_BYTES);
  private readonly open = new Map<string, { readonly fd: number; round: number }>();
  private round = 0;

  read(path: string): string | undefined {
    try {
      const file = this.open.get(path) ?? this.add(path);
      file.round = this.round;
      return this.buffer.toString("latin1", 0, readSync(file.fd, this.buffer, 0, LONGEST_BYTES, 0));
    } catch {
      // Gone (a process that ended, a group that was removed); another of that name may come.
      this.forget(path);
      return undefined;
    }
  }

  /** Closes what was not read since the last call. */
  closeUnread(): void {
    for (const [path, { round }] of this.open) if (round < this.round) this.forget(path);
    this.round += 1;
  }

  close(): void {
    for (const path of this.open.keys()) this.forget(path);
  }

  private add(path: string): { readonly fd: number; round: number } {
    const file = { fd: openSync(path, "r"), round: this.round };
    this.open.set(path, file);
    return file;
  }

  private forget(path: string): void {
    const file = this.open.get(path);
    if (file === undefined) return;
    this.open.delete(path);
    closeSync(file.fd);
  }
}
