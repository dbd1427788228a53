import { constants, openSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { BlockList, isIPv6, Socket } from "node:net";
import { join } from "node:path";
import { LineSplitter } from "../../../core/exec/line-splitter.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";
import { AccessFile } from "./access-file.js";
import { parseAccessLine } from "./access-line.js";

export interface AccessLogOptions {
  /** What HAProxy writes into (`paths.accessPipe`). */
  readonly pipe: string;
  /** A folder in it for each app. */
  readonly folder: string;
  /** Of each app. */
  readonly maxBytes: number;
  readonly trustedProxies: readonly string[];
  /** How many lines HAProxy could not write since it was started; undefined: that is not known. */
  readonly droppedByProxy: () => Promise<number | undefined>;
  readonly log: Log;
}

const LOOK_MS = 5000;

/** Reads what HAProxy says of requests, and writes it to the access logs of the apps. */
export class AccessLog {
  private readonly files = new Map<string, AccessFile>();
  private readonly trusted: BlockList;
  private isThere: (app: string) => boolean = () => true;
  private socket: Socket | undefined;
  private missed: number | undefined;
  private isMissingSaid = false;
  private readonly looks = new Ticker({
    everyMs: LOOK_MS,
    job: async () => this.look(),
    onError: (error) => this.options.log.warn({ err: error }, "access logs"),
  });

  constructor(private readonly options: AccessLogOptions) {
    this.trusted = listOf(options.trustedProxies);
  }

  async start(): Promise<{ stop(): Promise<void> }> {
    await this.looks.startNow();
    return {
      stop: async () => {
        await this.looks.stop();
        this.socket?.destroy();
        for (const file of this.files.values()) await file.close();
      },
    };
  }

  /** Removes the logs of apps that are not there any more, and takes nothing for them. */
  async keep(isThere: (app: string) => boolean): Promise<void> {
    this.isThere = isThere;
    for (const app of await readdir(this.options.folder).catch(() => [])) {
      if (isThere(app)) continue;
      await this.files.get(app)?.close();
      this.files.delete(app);
      await rm(join(this.options.folder, app), { recursive: true, force: true });
    }
  }

  private async look(): Promise<void> {
    if (this.socket === undefined) this.open();
    for (const [app, { droppedLines }] of this.files)
      if (droppedLines > 0)
        this.options.log.warn({ app, droppedLines }, "lines of an access log were dropped");
    const dropped = await this.options.droppedByProxy();
    if (dropped === undefined) return;
    // A reload begins again at zero.
    const more = dropped - Math.min(dropped, this.missed ?? dropped);
    if (more > 0) this.options.log.warn({ droppedLines: more }, "HAProxy dropped lines of access logs");
    this.missed = dropped;
  }

  private open(): void {
    const { pipe, log } = this.options;
    const file = openPipe(pipe);
    if (file === undefined) {
      if (!this.isMissingSaid) log.warn({ pipe }, "no access logs until HAProxy is restarted");
      this.isMissingSaid = true;
      return;
    }
    const splitter = new LineSplitter({ endsAtReturn: false });
    const socket = new Socket({ fd: file, readable: true, writable: false });
    socket.on("data", (chunk) => splitter.push(chunk).forEach((line) => this.take(line)));
    socket.on("error", (error) => log.warn({ err: error }, "access logs"));
    socket.on("close", () => (this.socket = undefined));
    this.socket = socket;
  }

  private take(line: string): void {
    const entry = parseAccessLine(line, this.trusted);
    if (entry === undefined || !this.isThere(entry.app)) return;
    const { app } = entry;
    const { folder, maxBytes } = this.options;
    let file = this.files.get(app);
    if (file === undefined) {
      file = new AccessFile({ folder: join(folder, app), app, maxBytes, now: () => Date.now() });
      this.files.set(app, file);
    }
    file.write(JSON.stringify(entry));
  }
}

/** To read and to write, so that it does not end when HAProxy does. Undefined: it is not there. */
function openPipe(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
