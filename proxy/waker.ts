import { chmod, chown, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Database } from "../core/redis/database.js";
import { systemClock } from "../core/clock.js";
import { parseAddress } from "../core/instances/address.js";
import { reachSocket } from "../core/instances/reach-socket.js";
import type { Log } from "../core/log.js";
import { parseReleaseName } from "../core/names.js";
import { RouteTables } from "../core/records/routes/route-tables.js";
import { WakeRequests } from "../core/records/routes/wake-requests.js";

export interface WakerOptions {
  readonly redis: Database;
  /** The Unix socket to which the proxy sends requests for releases that sleep. */
  readonly path: string;
  /** The group that the proxy runs as; undefined: it is this process' own user. No other user can open the socket. */
  readonly group?: number | undefined;
  /** The request header that names the release, `APP/vN`. */
  readonly header: string;
  readonly log: Log;
}

/** How much of a waiting request is held: all of its headers, and as much of its body as there is room for. */
const HELD_BYTES = 65_536;
const WAKE_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

/**
 * Holds requests for releases that sleep, asks the server to wake them, and forwards the connection unchanged, so that bodies,
 * WebSockets and streams work as usual.
 */
export class Waker {
  private readonly tables: RouteTables;
  private readonly requests: WakeRequests;
  private readonly sockets = new Set<Socket>();
  /** Release → how many connections were forwarded to it, which the proxy's servers do not count. */
  private readonly passed = new Map<string, number>();
  private readonly waking = new Map<string, Promise<string>>();

  constructor(private readonly options: WakerOptions) {
    this.tables = new RouteTables(options.redis);
    this.requests = new WakeRequests(options.redis);
  }

  /** Listens until `stop` is called, which also ends forwarded connections. */
  async start(): Promise<{ stop(): Promise<void> }> {
    const { path, group } = this.options;
    await rm(path, { force: true });
    const server = createServer((socket) => this.hold(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    await chmod(path, 0o600);
    if (group !== undefined) {
      await chown(path, -1, group);
      await chmod(path, 0o660);
    }
    return { stop: async () => this.stop(server) };
  }

  /** How many open connections were forwarded to this release (`APP/vN`). */
  open(release: string): number {
    return this.passed.get(release) ?? 0;
  }

  private async stop(server: Server): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  private hold(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket)).on("error", () => socket.destroy());
    let held = Buffer.alloc(0);
    let isComing = false;
    const take = (): Buffer => {
      socket.off("data", onData).pause();
      return held;
    };
    const onData = (chunk: Buffer): void => {
      held = Buffer.concat([held, chunk]);
      // It is read while it waits, which is the only way to notice that the client has left.
      if (held.length >= HELD_BYTES) socket.pause();
      if (isComing || (!held.includes("\r\n\r\n") && held.length < HELD_BYTES)) return;
      isComing = true;
      void this.passOn(socket, headerOf(held, this.options.header), take);
    };
    socket.on("data", onData);
  }

  /** `take` stops reading and returns what has come so far. */
  private async passOn(socket: Socket, release: string, take: () => Buffer): Promise<void> {
    try {
      const address = await this.awake(release);
      const reached = await reach(address);
      if (socket.destroyed || socket.readableEnded) {
        await reached.close();
        return;
      }
      this.count(release, 1);
      socket.on("close", () => this.count(release, -1));
      const held = take();
      const instance = connect({ ...reached.target, noDelay: true }, () => {
        instance.write(held);
        socket.pipe(instance).pipe(socket);
      });
      instance.once("connect", () => void reached.close()).once("close", () => void reached.close());
      socket.on("close", () => instance.destroy());
      instance.on("error", () => socket.destroy());
      // When the instance has closed, the client may still have to read the last data.
      instance.on("close", () => {
        if (!socket.writableEnded) socket.destroy();
      });
    } catch (error) {
      this.options.log.warn({ err: error, release }, "could not wake a release");
      socket.end(refusal(release));
    }
  }

  private count(release: string, more: number): void {
    const open = this.open(release) + more;
    if (open === 0) this.passed.delete(release);
    else this.passed.set(release, open);
  }

  /** The release's address, once it runs. All requests for it share one wait. */
  private async awake(release: string): Promise<string> {
    const known = this.waking.get(release);
    if (known !== undefined) return known;
    const waking = this.wake(release).finally(() => this.waking.delete(release));
    this.waking.set(release, waking);
    return waking;
  }

  private async wake(release: string): Promise<string> {
    const [app = "", name = ""] = release.split("/");
    const deadline = Date.now() + WAKE_TIMEOUT_MS;
    let isAsked = false;
    while (Date.now() < deadline) {
      const table = await this.tables.read(app);
      const routed = table.releases.find(({ number }) => number === parseReleaseName(name));
      if (routed === undefined) throw new Error("it no longer exists");
      const [server] = routed.servers;
      if (!routed.asleep && server !== undefined) return server.address;
      if (isAsked && !(await this.requests.isWaiting(release))) throw new Error("it did not start");
      if (!isAsked) await this.requests.ask(release);
      isAsked = true;
      await systemClock.sleep(POLL_MS);
    }
    throw new Error(`no server started it within ${WAKE_TIMEOUT_MS / 1000} s`);
  }
}

function headerOf(head: Buffer, name: string): string {
  const line = head
    .toString("latin1")
    .split("\r\n")
    .find((text) => text.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim() ?? "";
}

type Target = { readonly path: string } | { readonly host: string; readonly port: number };

/** Where an address leads, until it is closed; that may be done twice. */
async function reach(text: string): Promise<{ readonly target: Target; close(): Promise<void> }> {
  const address = parseAddress(text);
  if (address.kind === "port") return { target: address, close: async () => undefined };
  const { path, close } = await reachSocket(address.path);
  let closed: Promise<void> | undefined;
  return { target: { path }, close: async () => (closed ??= close()) };
}

function refusal(wakened: string): string {
  const [app = "", release = ""] = wakened.split("/");
  const body = `This preview could not be started. To see why: sluice logs ${app} --release ${release}\n`;
  return `HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
