import { expect } from "chai";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../core/log.js";
import { RouteTables } from "../../../core/records/routes/route-tables.js";
import { WakeRequests } from "../../../core/records/routes/wake-requests.js";
import { Waker } from "../../../proxy/waker.js";
import { eventually } from "../../support/eventually.js";
import { OwnRedis } from "../../support/redis/own-redis.js";

const HEADER = "sluice-wake";
const KILOBYTE = 1024;

describe("the waker", function () {
  this.timeout(30_000);
  let folder: string;
  let own: OwnRedis;
  let instance: Server;
  let waker: Waker;
  let sent: number;
  let waking: { stop(): Promise<void> };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "waker-"));
    own = await OwnRedis.start();
    sent = 0;
    // Sends as many bytes as the path says, piece by piece, and closes.
    instance = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (head: Buffer) => {
        const [, length = ""] = /^GET \/(\d+)/.exec(head.toString()) ?? [];
        sendPieces(socket, Number(length), () => sent++);
      });
    });
    await new Promise<void>((resolve) => instance.listen(join(folder, "web.sock"), resolve));
    await new RouteTables(own.redis).update("shop", (table) => ({
      ...table,
      tracks: { feature: 1 },
      releases: [
        {
          ...{ number: 1, track: "feature", sticky: false, drainSeconds: 1, standbySeconds: 0 },
          ...{ sessionIdleSeconds: 1, asleep: false, sleepSeconds: 0, expireSeconds: 0, since: 0 },
          servers: [{ id: "shop.v1.web.1", address: `unix@${join(folder, "web.sock")}` }],
        },
      ],
    }));
    waker = new Waker({ redis: own.redis, path: join(folder, "wake.sock"), header: HEADER, log: silentLog });
    waking = await waker.start();
  });
  const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
  afterEach(async () => {
    await waking.stop();
    await new Promise((resolve) => instance.close(resolve));
    await own.stop();
    await rm(folder, { recursive: true });
  });

  it("can be opened by its own user, and by the proxy's group where the proxy is another user", async () => {
    expect(await modeOf(join(folder, "wake.sock"))).to.equal("600");
    const path = join(folder, "grouped.sock");
    const group = process.getgid?.();
    const other = await new Waker({ redis: own.redis, path, group, header: HEADER, log: silentLog }).start();
    expect(await modeOf(path)).to.equal("660");
    expect((await stat(path)).gid).to.equal(group);
    await other.stop();
  });

  it("passes on nothing of a client who has left before the release was awake", async () => {
    const tables = new RouteTables(own.redis);
    const sleeping = async (asleep: boolean): Promise<void> => {
      await tables.update("shop", (table) => ({
        ...table,
        releases: table.releases.map((release) => ({ ...release, asleep })),
      }));
    };
    const requests = new WakeRequests(own.redis);
    let asked = 0;
    instance.on("connection", () => asked++);
    await sleeping(true);
    const leaves = connect(join(folder, "wake.sock"));
    leaves.write(`POST /pay HTTP/1.1\r\n${HEADER}: shop/v1\r\ncontent-length: 4\r\n\r\n`);
    await eventually("it is asked for", async () => requests.isWaiting("shop/v1"));
    leaves.write("body");
    const stays = new StallingReader(join(folder, "wake.sock"), KILOBYTE);
    leaves.resume().end();
    // The waker has closed its side too: it knows.
    await once(leaves, "close");
    await sleeping(false);
    expect(await stays.readAll()).to.equal(KILOBYTE);
    await eventually("nothing is open", () => waker.open("shop/v1") === 0);
    expect(asked).to.equal(1);
  });

  it("passes on all that an instance sent before it closed, to a reader who stalls near the end", async () => {
    // What the sockets on the way hold is not known: one of these ends while the waker itself holds the last of it.
    const lengths = Array.from({ length: 50 }, (_, index) => (index + 1) * 8 * KILOBYTE);
    const readers = lengths.map((length) => new StallingReader(join(folder, "wake.sock"), length));
    // Half of a second without a piece: nobody goes on who is not read.
    let [before, same] = [0, 0];
    await eventually("no more is sent", () => {
      same = sent === before ? same + 1 : 0;
      before = sent;
      return sent > 0 && same > 12;
    });
    const received = await Promise.all(readers.map(async (reader) => reader.readAll()));
    expect(received).to.deep.equal(lengths);
    await eventually("nothing is open", () => waker.open("shop/v1") === 0);
  });
});

function sendPieces(socket: Socket, left: number, onSent: () => void): void {
  if (left === 0) {
    socket.end();
    return;
  }
  socket.write(Buffer.alloc(KILOBYTE, "x"), () => {
    onSent();
    setImmediate(() => sendPieces(socket, left - KILOBYTE, onSent));
  });
}

/** Asks for so many bytes, and does not read them before it is told to. */
class StallingReader {
  private readonly socket;

  constructor(path: string, length: number) {
    this.socket = connect(path).pause();
    this.socket.on("error", () => undefined);
    this.socket.write(`GET /${length} HTTP/1.1\r\n${HEADER}: shop/v1\r\n\r\n`);
  }

  async readAll(): Promise<number> {
    return new Promise((resolve) => {
      let length = 0;
      this.socket.on("data", (bytes: Buffer) => (length += bytes.length));
      this.socket.on("close", () => resolve(length)).resume();
    });
  }
}
