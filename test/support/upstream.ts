import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A web server for proxies to lead to: answers its name, and counts what reaches it. */
export class Upstream {
  requests = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly name: string,
    readonly address: string,
    private readonly server: Server,
    private readonly folder: string | undefined,
  ) {}

  static async start(name: string, options: { socket?: boolean; address?: string } = {}): Promise<Upstream> {
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
    const upstream = new Upstream(name, address, server, folder);
    upstream.serve();
    return upstream;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
    if (this.folder !== undefined) await rm(this.folder, { recursive: true });
  }

  private serve(): void {
    this.server.on("request", (request, response) => {
      this.requests++;
      const url = new URL(request.url ?? "/", "http://x");
      if (url.pathname === "/hang-up") request.socket.destroy();
      else setTimeout(() => response.end(this.name), Number(url.searchParams.get("ms") ?? 0));
    });
    this.server.on("upgrade", (_request, stream) => {
      const socket = stream as Socket;
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      socket.on("end", () => socket.end());
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n${this.name}\n`,
      );
      socket.on("data", (bytes) => socket.write(`${this.name} ${bytes.toString()}`));
    });
  }
}
