import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { AppError } from "../../../core/errors/app-error.js";

/**
 * Hands out ports of a range, each one later than the last, so that a port just left is not used again at once. The first
 * is any: two Sluices on a machine would otherwise give the same ones, before anybody listens there.
 */
export class FreePorts {
  private last: number;
  private readonly reserved = new Set<number>();

  constructor(
    private readonly range: { readonly first: number; readonly last: number },
    taken: Iterable<number>,
  ) {
    for (const port of taken) this.reserved.add(port);
    this.last = this.reserved.size > 0 ? Math.max(...this.reserved) : randomInt(range.first, range.last + 1);
  }

  /** The next port that no instance has and nobody listens on. Throws `no-free-port`. */
  async take(): Promise<number> {
    const { first, last } = this.range;
    for (let step = 0; step <= last - first; step++) {
      this.last = this.last >= last || this.last < first ? first : this.last + 1;
      const port = this.last;
      if (this.reserved.has(port)) continue;
      this.reserved.add(port);
      if (await isFree(port)) return port;
      this.reserved.delete(port);
    }
    throw new AppError("no-free-port", this.range);
  }

  give(port: number): void {
    this.reserved.delete(port);
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0" }, () => server.close(() => resolve(true)));
  });
}
