import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { AppRoutes, Load, Proxy, ReleaseRoutes } from "../../proxy/proxy.js";

/** The simplest proxy that keeps the contract: one process, no health checks, no retries beyond another server. */
export class FakeProxy implements Proxy {
  private readonly routes = new Map<string, AppRoutes>();
  private readonly open = new Map<string, number>();
  private readonly lastAt = new Map<string, number>();
  private fallback: string | undefined;
  private turn = 0;

  private constructor() {}

  static async start(): Promise<{ proxy: FakeProxy; port: number; close(): Promise<void> }> {
    const server = createServer();
    const proxy = new FakeProxy();
    server.on("request", (request, response) => proxy.serve(request, response));
    server.on("upgrade", (request, socket) => proxy.upgrade(request, socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const close = async (): Promise<void> => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    };
    return { proxy, port: typeof address === "object" && address !== null ? address.port : 0, close };
  }

  async apply(
    changes: ReadonlyMap<string, AppRoutes | undefined>,
    fallback: string | undefined,
  ): Promise<void> {
    for (const [app, routes] of changes) {
      if (routes === undefined) this.routes.delete(app);
      else this.routes.set(app, routes);
    }
    this.fallback = fallback;
  }

  async apps(): Promise<ReadonlySet<string>> {
    return new Set(this.routes.keys());
  }

  async loads(releases: readonly string[]): Promise<ReadonlyMap<string, Load>> {
    const known = releases.filter((key) => this.release(key) !== undefined);
    return new Map(
      known.map((key) => [key, { connections: this.open.get(key) ?? 0, idleSeconds: this.idleSeconds(key) }]),
    );
  }

  private idleSeconds(key: string): number {
    const last = this.lastAt.get(key);
    return last === undefined ? Infinity : Math.floor((Date.now() - last) / 1000);
  }

  /** `APP/vN` for a request, or the status to answer with. */
  private target(request: IncomingMessage): { key: string; release: ReleaseRoutes } | number {
    const host = (request.headers.host ?? "").split(":")[0]?.toLowerCase() ?? "";
    const all = [...this.routes.values()];
    const isBare = host === "localhost" || /^[0-9.]+$/.test(host);
    const target =
      all.map(({ hosts }) => hosts.get(host)).find(Boolean) ?? (isBare ? this.fallback : undefined);
    if (target === undefined) return 404;
    const served = all.map(({ tracks }) => tracks.get(target)).find(Boolean);
    const key = (served === undefined ? undefined : this.kept(request, target)) ?? served ?? target;
    const release = this.release(key);
    return release === undefined || release.servers.size === 0 ? 503 : { key, release };
  }

  private kept(request: IncomingMessage, target: string): string | undefined {
    const version = /sluice=[^.;]+\.(v\d+)/.exec(request.headers.cookie ?? "")?.[1];
    const key = `${target.split("/")[0] ?? ""}/${version ?? ""}`;
    return this.release(key)?.sticky ? key : undefined;
  }

  private release(key: string): ReleaseRoutes | undefined {
    return this.routes.get(key.split("/")[0] ?? "")?.releases.get(key);
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const target = this.target(request);
    if (typeof target === "number") {
      response.writeHead(target, target === 503 ? { "retry-after": "5" } : {}).end("nothing here\n");
      return;
    }
    const { key, release } = target;
    const end = this.begin(key);
    response.on("close", end);
    const version = key.split("/")[1] ?? "";
    const servers = [...release.servers.values()];
    const attempt = (left: number): void => {
      const outgoing = forward({
        ...place(servers[this.turn++ % servers.length] ?? ""),
        method: request.method,
        path: request.url,
        headers: request.headers,
      });
      outgoing.on("response", (answer) => {
        const headers = { ...answer.headers, "sluice-release": version, "sluice-track": release.track };
        const cookie =
          release.sticky && !request.headers.cookie?.includes(`.${version}`)
            ? { "set-cookie": `sluice=${release.track}.${version}; Path=/` }
            : {};
        response.writeHead(answer.statusCode ?? 502, { ...headers, ...cookie });
        answer.pipe(response);
      });
      outgoing.on("error", (error) => {
        if (left > 0 && "code" in error && error.code === "ECONNREFUSED") attempt(left - 1);
        else if (!response.headersSent) response.writeHead(502).end();
      });
      request.pipe(outgoing);
    };
    attempt(servers.length);
  }

  private upgrade(request: IncomingMessage, socket: Duplex): void {
    const target = this.target(request);
    if (typeof target === "number") {
      socket.end();
      return;
    }
    const end = this.begin(target.key);
    socket.on("close", end);
    const [address = ""] = target.release.servers.values();
    const outgoing = forward({ ...place(address), path: request.url, headers: request.headers });
    outgoing.on("upgrade", (answer, upstream, head) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${answer.headers.upgrade ?? ""}\r\n\r\n`,
      );
      socket.write(head);
      upstream.pipe(socket).pipe(upstream);
      for (const stream of [upstream, socket]) stream.on("error", () => stream.destroy());
    });
    outgoing.end();
  }

  private begin(key: string): () => void {
    this.open.set(key, (this.open.get(key) ?? 0) + 1);
    this.lastAt.set(key, Date.now());
    return () => this.open.set(key, (this.open.get(key) ?? 1) - 1);
  }
}

function place(address: string): { socketPath: string } | { host: string; port: string } {
  if (address.startsWith("unix@")) return { socketPath: address.slice("unix@".length) };
  const [host = "", port = ""] = address.split(":");
  return { host, port };
}
