import { connect as connectHttp2 } from "node:http2";
import { connect, type TLSSocket } from "node:tls";

export interface TlsLoad {
  /** `full` and `resumed`: handshakes; `streams`: requests on one HTTP/2 connection. */
  readonly kind: "full" | "resumed" | "streams";
  readonly port: number;
  /** Names that are asked for in turns. */
  readonly hosts: readonly string[];
  /** Connections that are opened at once, or streams that are open at once. */
  readonly atOnce: number;
  readonly seconds: number;
}

export interface TlsLoadResult {
  readonly count: number;
  readonly failed: number;
  readonly seconds: number;
  /** Of handshakes: from the first byte of TCP to the end of the handshake. */
  readonly ms: readonly number[];
  /** Handshakes in which a session was resumed. */
  readonly resumed: number;
}

export async function runTlsLoad(load: TlsLoad): Promise<TlsLoadResult> {
  return load.kind === "streams" ? streams(load) : handshakes(load);
}

/**
 * New TLS 1.3 connections, without a request. Each is closed in order, and counts once the proxy has closed it too: by then it
 * has done all its work.
 */
async function handshakes({ kind, port, hosts, atOnce, seconds }: TlsLoad): Promise<TlsLoadResult> {
  const [host = ""] = hosts;
  const session = kind === "resumed" ? await sessionOf(port, host) : undefined;
  const result = { count: 0, failed: 0, ms: [] as number[], resumed: 0 };
  const began = performance.now();
  const end = began + seconds * 1000;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const name = hosts[next++ % hosts.length] ?? "";
      try {
        const { ms, isResumed } = await handshake(port, name, session);
        result.ms.push(ms);
        if (isResumed) result.resumed++;
        result.count++;
      } catch {
        result.failed++;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { ...result, seconds: (performance.now() - began) / 1000 };
}

async function handshake(
  port: number,
  servername: string,
  session: Buffer | undefined,
): Promise<{ ms: number; isResumed: boolean }> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const socket = open(port, servername, session);
    let result = { ms: 0, isResumed: false };
    socket.once("secureConnect", () => {
      result = { ms: performance.now() - began, isResumed: socket.isSessionReused() };
      socket.end();
    });
    socket.resume();
    socket.once("error", reject);
    socket.once("close", () => resolve(result));
  });
}

/** What resumes a session; TLS 1.3 brings it after the handshake. */
async function sessionOf(port: number, servername: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = open(port, servername, undefined);
    socket.once("session", (session: Buffer) => {
      resolve(session);
      socket.end();
    });
    socket.resume();
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`port ${port} gave no session to resume`)));
  });
}

function open(port: number, servername: string, session: Buffer | undefined): TLSSocket {
  return connect({
    ...{ host: "127.0.0.1", port, servername, rejectUnauthorized: false, minVersion: "TLSv1.3" },
    ...(session === undefined ? {} : { session }),
  });
}

/** As many streams as are wanted, always; a new one begins when one has ended. */
async function streams({ port, hosts, atOnce, seconds }: TlsLoad): Promise<TlsLoadResult> {
  const [host = ""] = hosts;
  const session = connectHttp2(`https://127.0.0.1:${port}`, { servername: host, rejectUnauthorized: false });
  await new Promise<void>((resolve, reject) => {
    session.once("connect", () => resolve());
    session.once("error", reject);
  });
  const result = { count: 0, failed: 0 };
  const began = performance.now();
  const end = began + seconds * 1000;
  const ask = async (): Promise<boolean> =>
    new Promise((resolve) => {
      const stream = session.request({ ":path": "/", ":authority": host });
      let status = 0;
      stream.once("response", (headers) => (status = headers[":status"] ?? 0));
      stream.once("error", () => resolve(false));
      stream.once("close", () => resolve(status === 200));
      stream.resume();
    });
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      result.count++;
      if (!(await ask())) result.failed++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  session.destroy();
  return { ...result, seconds: (performance.now() - began) / 1000, ms: [], resumed: 0 };
}
