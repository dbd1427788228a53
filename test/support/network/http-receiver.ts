import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A web server, on 127.0.0.1 if nothing else is said, that keeps what it was sent, and answers as it is told. */
export class HttpReceiver {
  readonly received: Received[] = [];
  /** Answers 204 if nothing else is said. */
  answer: (response: ServerResponse, request: Received) => void = (response) => response.writeHead(204).end();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** On `port`, or any that is free. */
  static async start(port = 0, address = "127.0.0.1"): Promise<HttpReceiver> {
    const server = createServer();
    server.listen(port, address);
    await once(server, "listening");
    // Of a server that listens on a port.
    const receiver = new HttpReceiver(server, (server.address() as AddressInfo).port);
    server.on("request", (request, response) => {
      void text(request).then((body) => {
        const { method = "", url = "", headers } = request;
        const received = { method, path: url, headers, body };
        receiver.received.push(received);
        receiver.answer(response, received);
      });
    });
    return receiver;
  }

  url(path = "/"): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}
