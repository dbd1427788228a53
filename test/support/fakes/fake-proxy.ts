import { createServer, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Duplex } from "node:stream";
import { bucketRange, BUCKETS } from "../../../core/records/traffic/latency-buckets.js";
import { MANY_ERRORS } from "../../../core/records/traffic/traffic.js";
import type { AppRoutes, Count, Load, Proxy } from "../../../proxy/proxy.js";
import { FakeRoutes, given, type Destination } from "./fake-routes.js";

/** Safe to be sent again (RFC 9110, 9.2.2). */
const REPEATABLE = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** A small proxy in this process: no health checks, request bodies in memory. */
export class FakeProxy implements Proxy {
  private readonly routes = new FakeRoutes();
  /** Release or server → streams that are open on it. */
  private readonly open = new Map<string, number>();
  private readonly lastAt = new Map<string, number>();
  private readonly counted = new Map<string, FakeCount>();
  /** What visitors have met, by draw and ticket. */
  private readonly met = new Map<string, number>();
  /** Release → 5xx answers that its visitors got. */
  private readonly errors = new Map<string, number>();

  private constructor() {}

  static async start(): Promise<{ proxy: FakeProxy; port: number; close(): Promise<void> }> {
    const proxy = new FakeProxy();
    const server = createServer((request, response) => void proxy.answer(request, response));
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) =>
      sockets.add(socket.on("close", () => sockets.delete(socket))),
    );
    server.on("upgrade", (request, socket) => proxy.upgrade(request, socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const close = async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    };
    return { proxy, port: typeof address === "object" && address !== null ? address.port : 0, close };
  }

  async apply(
    changes: ReadonlyMap<string, AppRoutes | undefined>,
    fallback: string | undefined,
  ): Promise<void> {
    this.routes.change(changes, fallback);
  }

  /** It has no TLS. */
  async addCertificates(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async keepCertificates(): Promise<void> {
    return Promise.resolve();
  }

  async answerChallenges(): Promise<void> {
    return Promise.resolve();
  }

  async apps(): Promise<ReadonlySet<string>> {
    return this.routes.apps();
  }

  async loads(releases: readonly string[]): Promise<ReadonlyMap<string, Load>> {
    const served = releases.filter((release) => this.routes.release(release) !== undefined);
    return new Map(served.map((release) => [release, this.loadOf(release)]));
  }

  /** A release that is not routed has no server here. */
  async sweep(): Promise<void> {
    await Promise.resolve();
  }

  async leaving(): Promise<readonly string[]> {
    const isServer = (name: string): boolean => name.startsWith("unix@") || name.includes(":");
    return [...this.open]
      .filter(([name, streams]) => streams > 0 && isServer(name) && !this.routes.serves(name))
      .map(([name]) => name);
  }

  /** Always all; a release is a slot. */
  async counts(): Promise<readonly Count[]> {
    return [...this.counted.values()].map(({ latencies, ...count }) => ({
      ...count,
      process: "fake",
      key: keyOf(count),
      latencies: new Map(latencies),
      slot: { name: count.release, errors: this.errors.get(count.release) ?? 0 },
    }));
  }

  private countOf(destination: Destination): FakeCount {
    const { release, track, asked } = destination;
    const key = keyOf(destination);
    const count = this.counted.get(key) ?? {
      ...{
        release,
        track,
        asked,
        requests: 0,
        answers4xx: 0,
        answers5xx: 0,
        faults: 0,
        bytes: 0,
        visitors: 0,
        goals: 0,
        visitorsWithErrors: 0,
        visitorsWithManyErrors: 0,
        visitorsOverP90: 0,
        visitorsOverP99: 0,
      },
      latencies: new Map<number, number>(),
    };
    this.counted.set(key, count);
    return count;
  }

  private loadOf(release: string): Load {
    const last = this.lastAt.get(release);
    const idleSeconds = last === undefined ? Infinity : Math.floor((Date.now() - last) / 1000);
    return { connections: this.open.get(release) ?? 0, idleSeconds };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const redirect = this.routes.redirectOf(request);
    if (redirect !== undefined) {
      const [, port = ""] = /(:\d+)$/.exec(request.headers.host ?? "") ?? [];
      const isSafe = request.method === "GET" || request.method === "HEAD";
      response.writeHead(isSafe ? 301 : 308, { location: `http://${redirect}${port}${request.url ?? ""}` });
      response.end();
      return;
    }
    const destination = this.routes.destinationOf(request);
    if (typeof destination === "number") {
      refuse(response, destination);
      return;
    }
    response.on("close", this.begin(destination.release));
    const count = this.countOf(destination);
    count.requests++;
    response.on("close", () => {
      const { release } = destination;
      if (response.statusCode < 500) return;
      this.errors.set(release, (this.errors.get(release) ?? 0) + 1);
      const errors = this.times(destination, "an error");
      if (errors === 1) count.visitorsWithErrors++;
      if (errors === MANY_ERRORS) count.visitorsWithManyErrors++;
    });
    const body = await buffer(request).catch(() => undefined);
    if (body !== undefined) this.tryServers(destination, destination.servers, request, body, response);
  }

  private tryServers(
    destination: Destination,
    servers: readonly string[],
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): void {
    const server = this.leastBusy(servers);
    if (server === undefined) {
      refuse(response, 503);
      return;
    }
    const { method = "GET", url, headers } = request;
    const end = this.begin(server);
    const count = this.countOf(destination);
    const began = Date.now();
    const outgoing = ask({ ...place(server), method, path: url, headers, agent: false }, (answer) => {
      const bucket = countAnswer(count, answer.statusCode ?? 502, (Date.now() - began) * 1000);
      this.countSlow(destination, count, bucket);
      answer.on("data", (bytes: Buffer) => (count.bytes += bytes.length));
      const { cookie, isVisitor, isGoal } = given(destination, answer.statusCode ?? 502);
      if (isVisitor) count.visitors++;
      if (isGoal) count.goals++;
      response.writeHead(answer.statusCode ?? 502, {
        ...answer.headers,
        ...marks(destination, answer, cookie),
      });
      answer.on("error", () => response.destroy()).pipe(response);
    });
    outgoing.on("close", end).on("error", (error) => {
      if (response.headersSent || response.destroyed) response.destroy();
      else {
        const others = servers.filter((other) => other !== server);
        if (wasRefused(error) || (REPEATABLE.has(method) && others.length > 0))
          this.tryServers(destination, others, request, body, response);
        else {
          count.faults++;
          refuse(response, 502);
        }
      }
    });
    response.on("close", () => outgoing.destroy());
    outgoing.end(body);
  }

  private countSlow(destination: Destination, count: FakeCount, bucket: number): void {
    const { canary, slow } = this.routes.splitOf(destination.release) ?? {};
    const [p90 = BUCKETS, p99 = BUCKETS] =
      slow?.[destination.release === canary ? "canary" : "production"] ?? [];
    if (bucket > p90 && this.times(destination, "p90") === 1) count.visitorsOverP90++;
    if (bucket > p99 && this.times(destination, "p99") === 1) count.visitorsOverP99++;
  }

  /** For which time a visitor whom chance has sent here meets something; 0 for anybody else. */
  private times({ unit }: Destination, what: string): number {
    if (unit === undefined) return 0;
    const name = `${unit} ${what}`;
    const times = (this.met.get(name) ?? 0) + 1;
    this.met.set(name, times);
    return times;
  }

  private upgrade(request: IncomingMessage, socket: Duplex): void {
    const destination = this.routes.destinationOf(request);
    const server = typeof destination === "number" ? undefined : this.leastBusy(destination.servers);
    if (typeof destination === "number" || server === undefined) {
      socket.destroy();
      return;
    }
    for (const end of [this.begin(destination.release), this.begin(server)]) socket.on("close", end);
    const outgoing = ask({ ...place(server), path: request.url, headers: request.headers, agent: false });
    outgoing.on("upgrade", (answer, upstream, head) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${answer.headers.upgrade ?? ""}\r\n\r\n`,
      );
      socket.write(head);
      for (const [from, to] of [
        [socket, upstream],
        [upstream, socket],
      ] as const)
        from
          .on("error", () => to.destroy())
          .on("close", () => to.destroy())
          .pipe(to);
    });
    outgoing.on("error", () => socket.destroy()).end();
  }

  private leastBusy(servers: readonly string[]): string | undefined {
    const busy = (server: string): number => this.open.get(server) ?? 0;
    return [...servers].sort((a, b) => busy(a) - busy(b))[0];
  }

  /** Counts one more until the answer is called. */
  private begin(name: string): () => void {
    this.open.set(name, (this.open.get(name) ?? 0) + 1);
    this.lastAt.set(name, Date.now());
    return () => this.open.set(name, (this.open.get(name) ?? 1) - 1);
  }
}

type FakeCount = {
  -readonly [K in Exclude<keyof Count, "process" | "key" | "slot" | "latencies">]: Count[K];
} & {
  readonly latencies: Map<number, number>;
};

function keyOf({ release, track, asked }: Pick<Count, "release" | "track" | "asked">): string {
  return `${release} ${track}${asked ? " asked" : ""}`;
}

/** Answers the bucket. */
function countAnswer(count: FakeCount, status: number, micros: number): number {
  if (status >= 500) {
    count.answers5xx++;
    count.faults++;
  } else if (status >= 400) count.answers4xx++;
  let bucket = 0;
  while (bucket < BUCKETS - 1 && bucketRange(bucket).to <= micros) bucket++;
  count.latencies.set(bucket, (count.latencies.get(bucket) ?? 0) + 1);
  return bucket;
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, status === 503 ? { "retry-after": "5" } : {}).end();
}

function marks(
  { release, track }: Destination,
  answer: IncomingMessage,
  cookie: string | undefined,
): Record<string, string | string[]> {
  const cookies = [
    ...(answer.headers["set-cookie"] ?? []),
    ...(cookie === undefined ? [] : [`${cookie}; Path=/${cookie === "sluice=" ? "; Max-Age=0" : ""}`]),
  ];
  return {
    "sluice-release": release.split("/")[1] ?? "",
    "sluice-track": track,
    ...(cookies.length === 0 ? {} : { "set-cookie": cookies }),
  };
}

/** Nothing was sent yet. */
function wasRefused(error: Error): boolean {
  return "code" in error && (error.code === "ECONNREFUSED" || error.code === "ENOENT");
}

function place(address: string): { socketPath: string } | { host: string; port: string } {
  if (address.startsWith("unix@")) return { socketPath: address.slice("unix@".length) };
  const [host = "", port = ""] = address.split(":");
  return { host, port };
}
