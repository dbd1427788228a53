import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RequestReader, type RedisRequest } from "./redis-request.js";

interface Cut {
  readonly matches: (request: RedisRequest) => boolean;
  readonly thenAway: boolean;
  readonly done: () => void;
}

/**
 * A wire between Redis and its clients that breaks on command: after a request has reached Redis and before its answer
 * has come back, the one moment that killing either side does not hit reliably. Clients connect to `socket` or `url`.
 */
export class CuttingRedis {
  private readonly clients = new Set<Socket>();
  private readonly cuts: Cut[] = [];
  private isAway = false;

  private constructor(
    private readonly target: NetConnectOpts,
    private readonly folder: string,
    private readonly servers: readonly [Server, Server],
  ) {
    for (const server of servers) server.on("connection", (client) => this.join(client));
  }

  /** In front of the Redis at `target`: `{path}` or `{host, port}`. */
  static async before(target: NetConnectOpts): Promise<CuttingRedis> {
    const folder = await mkdtemp(join(tmpdir(), "cutting-redis-"));
    const servers = [createServer(), createServer()] as const;
    const cutting = new CuttingRedis(target, folder, servers);
    servers[0].listen(cutting.socket);
    servers[1].listen(0, "127.0.0.1");
    await Promise.all(servers.map(async (server) => server.listening || once(server, "listening")));
    return cutting;
  }

  get socket(): string {
    return join(this.folder, "redis.sock");
  }

  /** Without user and password. */
  get url(): string {
    // It listens on TCP, so that its address is not a path.
    return `redis://127.0.0.1:${(this.servers[1].address() as AddressInfo).port}`;
  }

  /**
   * The next request that `matches` (its words; the first is the command) is done by Redis, but its connection breaks before
   * the answer. Resolves then. `thenAway`: Redis cannot be reached from that moment on, until `back`.
   */
  async loseAnswer(
    matches: (request: RedisRequest) => boolean = () => true,
    { thenAway = false } = {},
  ): Promise<void> {
    return new Promise((done) => this.cuts.push({ matches, thenAway, done }));
  }

  /** Breaks every connection; new ones are broken too until `back`. */
  away(): void {
    this.isAway = true;
    for (const client of this.clients) client.destroy();
  }

  back(): void {
    this.isAway = false;
  }

  async stop(): Promise<void> {
    this.away();
    await Promise.all(this.servers.map(async (server) => new Promise((resolve) => server.close(resolve))));
    await rm(this.folder, { recursive: true, force: true });
  }

  private join(client: Socket): void {
    client.on("error", () => undefined);
    if (this.isAway) {
      client.destroy();
      return;
    }
    this.clients.add(client);
    const upstream = connect(this.target);
    const reader = new RequestReader();
    let isCut = false;
    client.on("data", (bytes: Buffer) => {
      for (const { request, raw } of reader.read(bytes)) {
        if (isCut) return;
        upstream.write(raw);
        const index = this.cuts.findIndex(({ matches }) => matches(request));
        const [cut] = index < 0 ? [] : this.cuts.splice(index, 1);
        if (cut === undefined) continue;
        isCut = true;
        this.lose(client, upstream, cut);
      }
    });
    client.once("close", () => {
      this.clients.delete(client);
      if (!isCut) upstream.destroy();
    });
    upstream.on("data", (bytes: Buffer) => {
      if (!isCut) client.write(bytes);
    });
    upstream.on("error", () => undefined);
    upstream.once("close", () => client.destroy());
  }

  /** Redis does what it was sent before it sees the end of the connection and closes it. */
  private lose(client: Socket, upstream: Socket, { thenAway, done }: Cut): void {
    upstream.end();
    upstream.once("close", () => {
      client.destroy();
      if (thenAway) this.away();
      done();
    });
  }
}
