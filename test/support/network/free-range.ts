import { createServer } from "node:net";

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Where no other test looks for ports: above those of other Sluices, below those that the kernel gives out by itself. */
const FIRST = 30_000;
const LAST = 32_700;

/** So many ports in a row that nobody listens on at the moment. */
export async function freeRange(count: number): Promise<PortRange> {
  for (;;) {
    const first = FIRST + Math.floor(Math.random() * (LAST - FIRST - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return { first, last: first + count - 1 };
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0" }, () => server.close(() => resolve(true)));
  });
}
