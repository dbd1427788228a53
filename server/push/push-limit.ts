import { Transform, type TransformCallback } from "node:stream";
import { AppError } from "../../core/errors/app-error.js";
import { problemLines } from "../pipeline/output.js";

const MEGABYTE = 1024 * 1024;
/** Git's side band for what people read (gitprotocol-pack(5)). */
const PROGRESS_BAND = 2;

/**
 * How large a push may be. Git ends a larger one with half a sentence, so what it means is told as well: in a packet of
 * our own between two of Git's (gitprotocol-common(5), pkt-line).
 */
export class PushLimit {
  private received = 0;
  private isTold = false;

  constructor(private readonly megabytes: number) {}

  /** What comes from the pusher. Over the limit it ends for git, and the rest is read and thrown away. */
  incoming(): Transform {
    const incoming = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (!this.isOver()) {
          this.received += chunk.length;
          incoming.push(chunk);
          if (this.isOver()) incoming.push(null);
        }
        done();
      },
    });
    return incoming;
  }

  /** What goes to the pusher. */
  outgoing(): Transform {
    const packets = new PacketPosition();
    const transform = (chunk: Buffer, _encoding: string, done: TransformCallback): void => {
      const boundary = packets.advance(chunk);
      if (boundary === undefined || this.isTold || !this.isOver()) {
        done(null, chunk);
        return;
      }
      this.isTold = true;
      done(null, Buffer.concat([chunk.subarray(0, boundary), this.told(), chunk.subarray(boundary)]));
    };
    return new Transform({ transform });
  }

  private isOver(): boolean {
    return this.received > this.megabytes * MEGABYTE;
  }

  private told(): Buffer {
    const lines = problemLines(new AppError("push-too-large", { megabytes: this.megabytes }));
    const text = Buffer.from(`-${lines.join("\n")}\n`);
    text[0] = PROGRESS_BAND;
    return Buffer.concat([Buffer.from((text.length + 4).toString(16).padStart(4, "0")), text]);
  }
}

/** Where in a stream of packets one is: each begins with its length, four hexadecimal digits that count themselves. */
class PacketPosition {
  private length = "";
  private left = 0;

  /** Reads on; answers where in `chunk` the first packet begins, if one does. */
  advance(chunk: Buffer): number | undefined {
    let first: number | undefined;
    for (let at = 0; at < chunk.length;) {
      if (this.left > 0) {
        const step = Math.min(this.left, chunk.length - at);
        this.left -= step;
        at += step;
        continue;
      }
      if (this.length === "") first ??= at;
      this.length += chunk.toString("latin1", at, ++at);
      if (this.length.length < 4) continue;
      // 0000 to 0003 are marks without content; what has no length is no packet, and ends the reading.
      const length = /^[0-9a-f]{4}$/i.test(this.length) ? parseInt(this.length, 16) : Infinity;
      this.left = Math.max(0, length - 4);
      this.length = "";
    }
    return first;
  }
}
