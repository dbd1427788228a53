import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "./free-port.js";

/** Hands bytes on to `HOST:PORT`, and cuts the first connections that carry many. */
export class CuttingProxy {
  cuts = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly address: string,
    private readonly server: Server,
  ) {}

  static async start(target: string, cutAfterBytes: number, mostCuts: number): Promise<CuttingProxy> {
    const [host, targetPort] = target.split(":");
    const port = await freePort();
    const server = createServer((incoming) => {
      const outgoing = connect(Number(targetPort), host);
      let bytes = 0;
      for (const socket of [incoming, outgoing]) {
        proxy.sockets.add(socket);
        socket.on("error", () => undefined);
      }
      incoming.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes < cutAfterBytes || proxy.cuts >= mostCuts) return;
        proxy.cuts++;
        incoming.destroy();
        outgoing.destroy();
      });
      incoming.pipe(outgoing).pipe(incoming);
    });
    const proxy = new CuttingProxy(`127.0.0.1:${port}`, server);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return proxy;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
