import type { Socket } from "node:net";

const MOST_WAITING = 1000;

/**
 * Prints lines to a hook, `| TEXT` each. What is said faster than a pusher can be told must not pile up here: of the
 * lines that wait only the last are kept, and it is told how many were left out.
 */
export class LinePrinter {
  private readonly waiting: string[] = [];
  private leftOut = 0;
  private isFull = false;

  constructor(private readonly socket: Socket) {
    socket.on("drain", () => {
      this.isFull = false;
      this.pass();
    });
  }

  /** One line; more, if the text has more: none of them may be taken for an answer. */
  print(text: string): void {
    this.waiting.push(...text.split(/[\r\n]+/));
    const tooMany = this.waiting.splice(0, Math.max(0, this.waiting.length - MOST_WAITING));
    this.leftOut += tooMany.length;
    this.pass();
  }

  /** Prints what still waits, then ends the connection with `last`. */
  end(last: string): void {
    const rest = [...this.note(), ...this.waiting.splice(0)];
    this.socket.end(rest.map(packed).join("") + last);
  }

  private pass(): void {
    if (!this.socket.writable) this.waiting.length = 0;
    while (!this.isFull && this.waiting.length > 0) {
      const lines = [...this.note(), this.waiting.shift() ?? ""];
      this.isFull = !this.socket.write(lines.map(packed).join(""));
    }
  }

  private note(): string[] {
    const count = this.leftOut;
    this.leftOut = 0;
    return count === 0 ? [] : [`       … ${count} lines left out`];
  }
}

function packed(line: string): string {
  return `| ${line}\n`;
}
