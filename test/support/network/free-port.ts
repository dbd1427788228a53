import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the ports that instances get, and those that the kernel gives to connections, which would take one before it is used. */
const FIRST = 10_000;
const LAST = 19_999;
const given = new Set<number>();

/** A loopback port that nobody listens on at the moment, and that this process was not given before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST + 1);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
