import { WebSocket } from "ws";

const MESSAGE_MS = 250;

/** What became of all WebSockets. */
export interface SocketTally {
  opened: number;
  /** Refused, or closed by the other side before the visitor did. */
  cut: number;
  /** Heard another release than the one they began on. */
  moved: number;
  messages: number;
}

/** Visitors with a WebSocket each, who say something four times a second. */
export class WebSocketVisitors {
  readonly tally: SocketTally = { opened: 0, cut: 0, moved: 0, messages: 0 };

  constructor(
    private readonly port: number,
    private readonly host: string,
    private readonly address = "127.0.0.1",
  ) {}

  /** Resolves when the visitor has heard which release it is on. Its answer lets the visitor leave. */
  async open(): Promise<() => Promise<void>> {
    const socket = new WebSocket(`ws://${this.address}:${this.port}/`, { headers: { host: this.host } });
    // `close` follows, and is what counts.
    socket.on("error", () => undefined);
    const state = { leaving: false };
    const closed = new Promise<void>((resolve) => {
      socket.once("close", () => {
        if (!state.leaving) this.tally.cut++;
        resolve();
      });
    });
    this.tally.opened++;
    const release = await Promise.race([firstMessage(socket), closed]);
    const talk = setInterval(() => {
      if (socket.readyState === WebSocket.OPEN) socket.send("hello");
    }, MESSAGE_MS);
    socket.on("message", (data: Buffer) => {
      this.tally.messages++;
      if (data.toString() !== `${String(release)} hello`) this.tally.moved++;
    });
    void closed.then(() => clearInterval(talk));
    return async () => {
      state.leaving = true;
      socket.close();
      await closed;
    };
  }
}

async function firstMessage(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("message", (data: Buffer) => resolve(data.toString()));
  });
}
