import { chmodSync, createWriteStream, existsSync, statSync, type WriteStream } from "node:fs";
import { printable } from "../../core/printable.js";
import type { AppError } from "../../core/errors/app-error.js";

/** What people read during a release. Each line goes to everyone who watches, and to the release's own log. */
export class Output {
  private readonly watchers = new Set<(line: string) => void>();
  private file: WriteStream | undefined;
  /** Bytes that the file may still take. */
  private room = 0;
  private lastLineAt = Date.now();

  /** Sends lines to `watcher` from now on. Returns how to stop that. */
  watch(watcher: (line: string) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Keeps it in a file too, up to `bytes` in all. A full disk must not end a release: what cannot be kept is only shown. */
  keepIn(path: string, bytes: number): void {
    this.file?.end();
    this.room = bytes - (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
    // What gates print may be secret; other apps' users pass through the folder.
    this.file = createWriteStream(path, { flags: "a", mode: 0o600 });
    if (existsSync(path)) chmodSync(path, 0o600);
    this.file.on("error", () => {
      this.file = undefined;
    });
  }

  /** `-----> Gates` */
  heading(text: string): void {
    this.write(`-----> ${text}`);
  }

  /** `       12 tests passed` */
  line(text: string): void {
    this.write(`       ${text}`);
  }

  /** ` !     what went wrong`, then the hint. */
  problem(error: AppError): void {
    for (const line of problemLines(error)) this.write(line);
  }

  /** Prints every few seconds that `what` is still running, while nothing else is printed. */
  async alive<T>(what: string, work: Promise<T>): Promise<T> {
    const began = Date.now();
    const timer = setInterval(() => {
      if (Date.now() - this.lastLineAt > QUIET_MS)
        this.line(`… ${what}, ${Math.round((Date.now() - began) / 1000)} s`);
    }, 1000);
    return work.finally(() => clearInterval(timer));
  }

  /** Resolves when the file has taken everything. */
  async close(): Promise<void> {
    const file = this.file;
    this.file = undefined;
    if (file === undefined) return;
    await new Promise<void>((resolve) => {
      file.once("error", () => resolve());
      file.end(() => resolve());
    });
  }

  private write(text: string): void {
    const line = printable(text);
    this.lastLineAt = Date.now();
    for (const watcher of this.watchers) watcher(line);
    this.keep(`${line}\n`);
  }

  private keep(text: string): void {
    if (this.file === undefined || this.room <= 0) return;
    this.room -= Buffer.byteLength(text);
    this.file.write(this.room > 0 ? text : "       … (the rest was printed but not kept)\n");
  }
}

const QUIET_MS = 5000;

/** What a pusher sees of an error, wherever it comes from: the message, then the hint. */
export function problemLines({ message, hint }: AppError): string[] {
  return `${message}\n${hint}`.split("\n").map((line) => ` !     ${line}`);
}
