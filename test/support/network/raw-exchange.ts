import { connect } from "node:net";
import type { Dice } from "../dice.js";

export interface RawRequest {
  /** Written one after the other; between two of them the client dawdles. */
  readonly parts: readonly Buffer[];
  /** What the client does when all is written: waits for the answer, says that nothing follows, or goes away. */
  readonly then: "wait" | "end" | "leave";
}

const DAWDLE_MS = 15;
/** A server may wait for more, as it should; the client has seen enough. */
const PATIENCE_MS = 800;
const MOST_KEPT_BYTES = 64 * 1024;

/** Sends these bytes on a connection of its own. Answers what came back, at most its beginning; "" when nothing did. */
export async function rawExchange(port: number, { parts, then }: RawRequest): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.on("data", (bytes) => {
      if (answer.length < MOST_KEPT_BYTES) answer += bytes.toString("latin1");
      if (then === "wait" && answer.includes("\r\n\r\n")) socket.end();
    });
    socket.on("end", () => socket.end());
    // The server may close while it is still written to.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(answer);
    });
    const write = (index: number): void => {
      const part = parts[index];
      if (socket.destroyed) return;
      if (part === undefined) {
        if (then === "end") socket.end();
        if (then === "leave") socket.resetAndDestroy();
        return;
      }
      socket.write(part, () => {
        if (index + 1 < parts.length) setTimeout(() => write(index + 1), DAWDLE_MS);
        else write(index + 1);
      });
    };
    write(0);
  });
}

/** The statuses of the answers in such a text. */
export function statusesIn(answer: string): number[] {
  return [...answer.matchAll(/(?:^|\r\n|[}\n])HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

export interface RequestLine {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** As it stands on the wire; a header may be anything but two lines. */
export function requestHead({ path, method, headers }: RequestLine): string {
  const lines = Object.entries({ host: "127.0.0.1", connection: "close", ...headers });
  const text = lines.map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, " ")}\r\n`).join("");
  return `${method} ${path} HTTP/1.1\r\n${text}\r\n`;
}

/** With the length that it has; one of ten cut off half-way. */
export function wholeOrCut(
  dice: Dice,
  { body = "", ...line }: RequestLine & { readonly body?: string | Buffer },
): RawRequest {
  const content = Buffer.from(body);
  const length = content.length === 0 ? {} : { "content-length": String(content.length) };
  const head = requestHead({ ...line, headers: { ...length, ...line.headers } });
  const all = Buffer.concat([Buffer.from(head, "latin1"), content]);
  if (dice.next() < 0.9) return { parts: [all], then: "wait" };
  return {
    parts: [all.subarray(0, dice.between(1, all.length))],
    then: dice.oneOf(["end", "leave"] as const),
  };
}
