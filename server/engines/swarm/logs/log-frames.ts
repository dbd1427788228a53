import { LineSplitter } from "../../../../core/exec/line-splitter.js";

/** Output, rest of the header unused, length (Docker's Engine API, "Stream format"). */
const HEADER_BYTES = 8;

/** Takes Docker's frames apart as they come: each output's lines, in the order in which they end. */
export class LogFrames {
  private pending = Buffer.alloc(0);
  private readonly outputs = new Map<number, LineSplitter>();

  push(chunk: Buffer): string[] {
    this.pending = Buffer.concat([this.pending, chunk]);
    const lines: string[] = [];
    while (this.pending.length >= HEADER_BYTES) {
      const length = this.pending.readUInt32BE(4);
      if (this.pending.length < HEADER_BYTES + length) break;
      const output = this.pending.readUInt8(0);
      lines.push(...this.splitter(output).push(this.pending.subarray(HEADER_BYTES, HEADER_BYTES + length)));
      this.pending = this.pending.subarray(HEADER_BYTES + length);
    }
    return lines;
  }

  private splitter(output: number): LineSplitter {
    const known = this.outputs.get(output) ?? new LineSplitter({ endsAtReturn: false });
    this.outputs.set(output, known);
    return known;
  }
}
