import { connect, type Socket } from "node:net";
import { eventually } from "../eventually.js";

/** An upgraded connection to a tiny app (it behaves as a WebSocket does in a proxy): says its release, then echoes. */
export class Upgraded {
  text = "";
  isClosed = false;

  private constructor(private readonly socket: Socket) {}

  static async open(
    port: number,
    host: string,
    headers: Record<string, string> = {},
    address = "127.0.0.1",
  ): Promise<Upgraded> {
    const socket = connect(port, address);
    const upgraded = new Upgraded(socket);
    socket.on("data", (bytes) => (upgraded.text += bytes.toString()));
    socket.on("close", () => (upgraded.isClosed = true));
    socket.on("error", () => undefined);
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `GET /echo HTTP/1.1\r\nHost: ${host}.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n${more.join("")}\r\n`,
    );
    await eventually("the connection is upgraded", () => /\r\n\r\nv\d+\n/.test(upgraded.text));
    return upgraded;
  }

  /** The release it began on. */
  get release(): string {
    return /\r\n\r\n(v\d+)\n/.exec(this.text)?.[1] ?? "";
  }

  /** Sends a word; answers the release that echoed it. */
  async echo(word: string): Promise<string> {
    this.socket.write(word);
    return eventually(`the echo of ${word}`, () => new RegExp(`(v\\d+) ${word}`).exec(this.text)?.[1]);
  }

  close(): void {
    this.socket.destroy();
  }
}
