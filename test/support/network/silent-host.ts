import { createServer, type Server, type Socket } from "node:net";

/** A host that takes every connection and never says a word. It refuses them until it listens. */
export class SilentHost {
  readonly connections = new Set<Socket>();
  private readonly server: Server;

  constructor(private readonly port: number) {
    this.server = createServer((socket) => {
      this.connections.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.connections.delete(socket));
      socket.resume();
    });
  }

  get url(): string {
    return `git://127.0.0.1:${this.port}/shop.git`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.port, "127.0.0.1", resolve);
    });
  }

  stop(): void {
    this.server.close();
    for (const socket of this.connections) socket.destroy();
  }
}
