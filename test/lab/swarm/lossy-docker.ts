import { createServer, connect, type Server, type Socket } from "node:net";

/** Hands requests on to Docker; the answers to some are lost on their way back, when what they ask for is done. */
export class LossyDocker {
  /** So many answers to requests that begin so are lost next. */
  private readonly toLose = new Map<string, number>();
  lost = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async before(target: string, path: string): Promise<LossyDocker> {
    const server = createServer((incoming) => lossy.relay(incoming, target));
    const lossy = new LossyDocker(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return lossy;
  }

  /** `request`: the beginning of its first line, such as `POST /services/create`. */
  lose(request: string, count = 1): void {
    this.toLose.set(request, count);
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private relay(incoming: Socket, target: string): void {
    const outgoing = connect(target);
    let request = "";
    for (const socket of [incoming, outgoing]) {
      this.sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        incoming.destroy();
        outgoing.destroy();
      });
    }
    incoming.on("data", (bytes) => {
      // A connection carries one request after the other.
      const text = bytes.toString("latin1");
      if (/^[A-Z]+ \//.test(text)) request = text;
      outgoing.write(bytes);
    });
    outgoing.on("data", (bytes) => {
      const [begin, count] = [...this.toLose].find(([each]) => request.startsWith(each)) ?? ["", 0];
      if (count === 0) {
        incoming.write(bytes);
        return;
      }
      this.toLose.set(begin, count - 1);
      this.lost++;
      incoming.destroy();
    });
  }
}
