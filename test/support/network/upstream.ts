import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface UpstreamOptions {
  /** Listens on a Unix socket. */
  readonly socket?: boolean;
  /** Listens there, and not on any free port. */
  readonly address?: string;
  /** Takes every request and answers none. */
  readonly hangsUp?: boolean;
}

const EVENT_MS = 20;

/** A web server for proxies to lead to: answers its name, and counts what reaches it. */
export class Upstream {
  requests = 0;
  /** Upgraded connections and event streams that are open now. */
  open = 0;
  /** Requests whose body is not there whole. */
  receiving = 0;
  private readonly sockets = new Set<Duplex>();

  private constructor(
    readonly name: string,
    readonly address: string,
    private readonly server: Server,
    private readonly folder: string | undefined,
    private readonly hangsUp: boolean,
  ) {}

  static async start(name: string, options: UpstreamOptions = {}): Promise<Upstream> {
    const server = createServer();
    const folder = options.socket ? await mkdtemp(join(tmpdir(), "upstream-")) : undefined;
    const port = options.address === undefined ? 0 : Number(options.address.split(":")[1]);
    await new Promise<void>((resolve) => {
      if (folder === undefined) server.listen(port, "127.0.0.1", resolve);
      else server.listen(join(folder, "web.sock"), resolve);
    });
    const listens = server.address();
    const address =
      typeof listens === "object" && listens !== null
        ? `127.0.0.1:${listens.port}`
        : `unix@${String(listens)}`;
    const upstream = new Upstream(name, address, server, folder, options.hangsUp ?? false);
    server.on("request", (request, response) => {
      upstream.requests++;
      // A body may be cut off.
      upstream.answer(request, response).catch(() => response.destroy());
    });
    server.on("upgrade", (_request, socket) => upstream.upgrade(socket));
    return upstream;
  }

  /** Can be asked for twice. */
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }

  /**
   * `/?ms=N` answers late, `/hang-up` not at all, `/never` never, `/events` for ever, `/event?ms=N` one event at once and the end
   * late, `/bytes` for each
   * piece of the body; `/seen` tells of the request, `/headers` of its headers as they came, `/forge` says too much.
   */
  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://x");
    if (url.pathname === "/bytes") {
      request.on("data", ({ length }: Buffer) => response.write(`${length} byte\n`));
      return;
    }
    this.receiving++;
    const { length } = await buffer(request).finally(() => this.receiving--);
    if (this.hangsUp || url.pathname === "/hang-up") request.socket.destroy();
    else if (url.pathname === "/events") this.sendEvents(response);
    else if (url.pathname === "/never") this.begin(response);
    else if (url.pathname === "/event") this.sendEvent(response, Number(url.searchParams.get("ms")));
    else if (url.pathname === "/headers") response.end(JSON.stringify(request.rawHeaders));
    else if (url.pathname.startsWith("/seen")) {
      const { method, headers } = request;
      response.end(JSON.stringify({ method, host: headers.host, url: request.url, length }));
    } else if (url.pathname === "/forge") {
      const headers = {
        "sluice-release": "v99",
        "sluice-track": "x",
        "x-own": "kept",
        "set-cookie": "session=1; Path=/",
      };
      response.writeHead(200, headers).end();
    } else setTimeout(() => response.end(this.name), Number(url.searchParams.get("ms") ?? 0));
  }

  private sendEvents(response: ServerResponse): void {
    this.begin(response);
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write(`data: ${this.name}\n\n`), EVENT_MS);
    response.on("close", () => clearInterval(timer));
  }

  private sendEvent(response: ServerResponse, endsAfterMs: number): void {
    this.begin(response);
    response.writeHead(200, { "content-type": "text/event-stream" }).write(`data: ${this.name}\n\n`);
    const timer = setTimeout(() => response.end("data: end\n\n"), endsAfterMs);
    response.on("close", () => clearTimeout(timer));
  }

  private upgrade(socket: Duplex): void {
    this.begin(socket);
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.end());
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n${this.name}\n`,
    );
    socket.on("data", (bytes: Buffer) => socket.write(`${this.name} ${bytes.toString()}`));
  }

  private begin(stream: Duplex | ServerResponse): void {
    this.open++;
    if (!("statusCode" in stream)) this.sockets.add(stream);
    stream.on("close", () => {
      this.open--;
      if (!("statusCode" in stream)) this.sockets.delete(stream);
    });
  }
}
