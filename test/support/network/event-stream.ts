import { request, type ClientRequest, type IncomingMessage } from "node:http";

/** Server-sent events of an app behind a proxy: each says the release. */
export class EventStream {
  readonly names = new Set<string>();
  count = 0;
  isClosed = false;

  private constructor(private readonly outgoing: ClientRequest) {}

  /** Resolves when the answer has begun. */
  static async open(port: number, host: string): Promise<EventStream> {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      path: "/events",
      agent: false,
      headers: { host: `${host}.localhost` },
    });
    const stream = new EventStream(outgoing);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once("response", resolve).once("error", reject).end();
    });
    outgoing.on("error", () => undefined);
    response.setEncoding("utf8").on("data", (text: string) => stream.take(text));
    response.on("close", () => (stream.isClosed = true)).on("error", () => undefined);
    return stream;
  }

  close(): void {
    this.outgoing.destroy();
  }

  private take(text: string): void {
    for (const [, name = ""] of text.matchAll(/^data: (.*)$/gm)) {
      this.names.add(name);
      this.count++;
    }
  }
}
