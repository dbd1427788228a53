/** A longer line is cut there; the rest of it is thrown away as it comes. */
export const LONGEST_LINE_BYTES = 16_384;

const [LF, CR] = [10, 13];

export interface LineSplitterOptions {
  /** What comes first is the rest of a line that was cut already. */
  readonly isCut?: boolean;
  /** `false`: a `\r` is part of its line. */
  readonly endsAtReturn?: boolean;
}

/**
 * Splits bytes into lines as they come, at `\n`, `\r\n` or `\r`. Of a line that is longer than the limit the beginning is
 * given as soon as the limit is passed, with `…`, so that a program that never ends its line takes no memory.
 */
export class LineSplitter {
  private parts: Buffer[] = [];
  private bytes = 0;
  private isCut: boolean;
  /** The last byte was `\r`: a `\n` that follows ends no line of its own. */
  private afterReturn = false;

  private readonly endsAtReturn: boolean;

  constructor({ isCut = false, endsAtReturn = true }: LineSplitterOptions = {}) {
    this.isCut = isCut;
    this.endsAtReturn = endsAtReturn;
  }

  /** Bytes of the line that has not ended yet. */
  get pending(): number {
    return this.bytes;
  }

  /** What comes next is the rest of a line that was given already, cut. */
  get isInCutLine(): boolean {
    return this.isCut;
  }

  /** The lines that `chunk` completes. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    if (this.afterReturn && chunk.length > 0) {
      this.afterReturn = false;
      if (chunk[0] === LF) start = 1;
    }
    let lf = chunk.indexOf(LF, start);
    let cr = this.endsAtReturn ? chunk.indexOf(CR, start) : -1;
    while (lf >= 0 || cr >= 0) {
      const end = lf < 0 || (cr >= 0 && cr < lf) ? cr : lf;
      this.add(chunk.subarray(start, end), lines);
      this.endLine(lines);
      start = end + 1;
      if (end === cr) {
        if (start === chunk.length) this.afterReturn = true;
        else if (chunk[start] === LF) start++;
      }
      if (lf >= 0 && lf < start) lf = chunk.indexOf(LF, start);
      if (cr >= 0 && cr < start) cr = chunk.indexOf(CR, start);
    }
    this.add(chunk.subarray(start), lines);
    return lines;
  }

  /** The line that the end of the bytes left without an end, if there is one. */
  end(): string[] {
    const lines: string[] = [];
    if (this.bytes > 0) this.endLine(lines);
    return lines;
  }

  private add(bytes: Buffer, lines: string[]): void {
    if (this.isCut || bytes.length === 0) return;
    const room = LONGEST_LINE_BYTES - this.bytes;
    // A copy: the chunk that it is part of may be much larger, and would be kept.
    this.parts.push(Buffer.from(bytes.subarray(0, room)));
    this.bytes += Math.min(room, bytes.length);
    if (bytes.length <= room) return;
    lines.push(`${wholeCharacters(this.take()).toString("utf8")}…`);
    this.isCut = true;
  }

  private endLine(lines: string[]): void {
    if (this.isCut) this.isCut = false;
    else lines.push(this.take().toString("utf8"));
  }

  private take(): Buffer {
    const line = Buffer.concat(this.parts);
    this.parts = [];
    this.bytes = 0;
    return line;
  }
}

/** Without the beginning of a character that was cut (UTF-8, RFC 3629). */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
