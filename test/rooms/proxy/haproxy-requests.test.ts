import { expect } from "chai";
import { request, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { silentLog } from "../../../core/log.js";
import { RouteTables } from "../../../core/records/routes/route-tables.js";
import { paths } from "../../../proxy/haproxy/config/paths.js";
import { WAKE_HEADER } from "../../../proxy/haproxy/config/text/wake-backend.js";
import { Waker } from "../../../proxy/waker.js";
import { eventually } from "../../support/eventually.js";
import { OwnRedis } from "../../support/redis/own-redis.js";
import { Upgraded } from "../../support/network/upgraded.js";
import type { Upstream } from "../../support/network/upstream.js";
import { ProxyTrial, routesOf } from "../../contract/proxy/proxy-trial.js";
import { RunningHaproxy } from "../../contract/proxy/running-haproxy.js";

const TRUSTED = ["192.0.2.0/24", "2001:db8::/32", "127.0.0.2", "127.0.0.64/30"];
const KINDS = ["an address", "a Unix socket", "an address, of a release that sleeps"] as const;
type Kind = (typeof KINDS)[number];
/** HAProxy holds back a segment that more may follow for 200 ms. */
const HELD_BACK_MS = 200;

describe("HAProxy, on the way of a request", function () {
  this.timeout(30_000);
  const trial = new ProxyTrial(async () =>
    RunningHaproxy.start({ trustedProxies: TRUSTED, requestSeconds: 1, bodySilenceSeconds: 4 }),
  );
  let web: Upstream;
  const ends: (() => Promise<void>)[] = [];
  beforeEach(async () => trial.begin());
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await trial.end();
  });
  const serve = async (kind: Kind = "an address"): Promise<void> => {
    web = await trial.upstream("v1", { socket: kind === "a Unix socket" });
    const routes = routesOf("a", { live: 1, releases: { 1: [web] } });
    const asleep = kind === "an address, of a release that sleeps";
    if (asleep) ends.push(await startWaker(trial.running.folder, web.address));
    const releases = [...routes.releases].map(([key, release]) => [key, { ...release, asleep }] as const);
    await trial.apply("a", { ...routes, releases: new Map(releases) });
  };

  for (const what of KINDS) {
    it(`holds back no first event of an instance at ${what}`, async () => {
      await serve(what);
      const took: number[] = [];
      for (let round = 0; round < 5; round++) {
        const began = performance.now();
        const stream = await get("/event?ms=60000");
        await new Promise((resolve) => stream.once("data", resolve));
        took.push(performance.now() - began);
        stream.destroy();
      }
      expect(Math.min(...took)).to.be.lessThan(0.75 * HELD_BACK_MS);
    });

    it(`lets an instance at ${what} know that its visitor has left, with an answer begun or not`, async () => {
      await serve(what);
      const stream = await get("/event?ms=60000");
      const waiting = request({ ...question("/never"), agent: false }).on("error", () => undefined);
      waiting.end();
      await eventually("both are there", () => web.open === 2);
      stream.destroy();
      waiting.destroy();
      await eventually("both have left", () => web.open === 0, 5000);
    });
  }

  for (const what of KINDS.slice(1))
    it(`tells an instance at ${what} of its visitor`, async () => {
      await serve(what);
      const seen = await headersOf("127.0.0.2", {
        "X-Forwarded-For": "198.51.100.1",
        "X-Forwarded-Proto": "https",
        "X-Request-ID": "an-id",
        "X-Request-Start": "t=1700000000000",
      });
      expect(seen).to.include({
        "x-forwarded-for": "198.51.100.1, 127.0.0.2",
        "x-forwarded-host": "a.localhost:8080",
        "x-forwarded-proto": "https",
        "x-forwarded-port": "443",
        "x-request-id": "an-id",
        "x-request-start": "t=1700000000000",
      });
      const untrusted = await headersOf("127.0.0.1", { "X-Forwarded-For": "198.51.100.1" });
      expect(untrusted["x-forwarded-for"]).to.equal("127.0.0.1");
      expect(untrusted["x-request-id"]).to.match(/^[0-9a-f-]{36}$/);
      expect(Number(untrusted["x-request-start"]?.replace("t=", ""))).to.be.closeTo(Date.now(), 60_000);
    });

  it("takes who closes their half of the connection for one who has left", async () => {
    await serve();
    const half = Raw.open(trial.running.port, "GET /never HTTP/1.1\r\nHost: a.localhost\r\n\r\n");
    await eventually("it is there", () => web.open === 1);
    half.end();
    await eventually("it is over", () => half.isClosed && web.open === 0);
  });

  it("gives a cookie that scripts and other sites cannot use, for the whole app", async () => {
    web = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [web] }, sticky: [1] }));
    expect((await trial.get("a")).headers["set-cookie"]).to.deep.equal([
      "sluice=production.v1; Path=/; HttpOnly; SameSite=Lax",
    ]);
  });

  describe("about the visitor", () => {
    beforeEach(async () => serve());

    it("believes nobody but trusted proxies", async () => {
      const seen = await headersOf("127.0.0.1", {
        "X-Forwarded-For": "198.51.100.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "443",
        "X-Real-IP": "198.51.100.1",
        Forwarded: "for=198.51.100.1;host=evil.example",
        "X-Request-Start": "t=1",
      });
      expect(seen).to.include({
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "a.localhost:8080",
        "x-forwarded-proto": "http",
        "x-forwarded-port": String(trial.running.port),
      });
      expect(seen).not.to.have.any.keys("x-real-ip", "forwarded");
      expect(Number(seen["x-request-start"]?.replace("t=", ""))).to.be.closeTo(Date.now(), 60_000);
    });

    it("passes on no header of the kind that it does not set itself, nor one by a name that apps take for it", async () => {
      const forged = {
        "X-Forwarded-Ssl": "on",
        "X-Forwarded-Scheme": "https",
        "X-Forwarded-Prefix": "/admin",
        X_Forwarded_Proto: "https",
        "X-Forwarded_For": "198.51.100.1",
        X_Real_IP: "198.51.100.1",
        X_Request_Start: "t=1",
      };
      const seen = await headersOf("127.0.0.1", forged);
      expect(seen).not.to.have.any.keys(...Object.keys(forged).map((name) => name.toLowerCase()));
      expect(await headersOf("127.0.0.2", { "X-Forwarded-Prefix": "/shop" })).to.include({
        "x-forwarded-prefix": "/shop",
      });
    });

    it("believes a trusted proxy, and says who that is", async () => {
      const given = {
        "X-Forwarded-Host": "shop.example.com",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "443",
        "X-Real-IP": "198.51.100.1",
        Forwarded: "for=198.51.100.1",
        "X-Request-Start": "t=1700000000000",
      };
      const kept = Object.fromEntries(
        Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]),
      );
      for (const from of ["127.0.0.2", "127.0.0.66"])
        expect(
          await headersOf(from, { ...given, "X-Forwarded-For": "198.51.100.1, 203.0.113.9" }),
        ).to.include({ ...kept, "x-forwarded-for": `198.51.100.1, 203.0.113.9, ${from}` });
    });

    it("says itself what a trusted proxy leaves out", async () => {
      expect(await headersOf("127.0.0.2", {})).to.include({
        "x-forwarded-for": "127.0.0.2",
        "x-forwarded-host": "a.localhost:8080",
        "x-forwarded-proto": "http",
        "x-forwarded-port": String(trial.running.port),
      });
      for (const [proto, port] of [
        ["https", "443"],
        ["http", "80"],
      ] as const)
        expect(await headersOf("127.0.0.2", { "X-Forwarded-Proto": proto })).to.include({
          "x-forwarded-proto": proto,
          "x-forwarded-port": port,
        });
    });

    it("keeps all of the addresses that a trusted proxy sends in several lines", async () => {
      const seen = await headersOf("127.0.0.2", { "X-Forwarded-For": ["198.51.100.1", "203.0.113.9"] });
      expect(seen["x-forwarded-for"]).to.equal("198.51.100.1, 203.0.113.9, 127.0.0.2");
    });

    it("keeps a request's id, if it is one, and gives one to all others", async () => {
      for (const id of [
        "7f3c1c2e-0b7e-4bd0-9d7e-6a0a3e2f9b11",
        "a",
        "Root=1-5759e988:bd/86+2_x.=",
        "x".repeat(200),
      ])
        expect((await headersOf("127.0.0.1", { "X-Request-ID": id }))["x-request-id"], id).to.equal(id);
      const made = new Set<string>();
      for (const id of [undefined, undefined, "", "x y", "<script>", "x".repeat(201), ["a", "b"]]) {
        const seen = await headersOf("127.0.0.1", id === undefined ? {} : { "X-Request-ID": id });
        expect(seen["x-request-id"], String(id)).to.match(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        made.add(seen["x-request-id"] ?? "");
      }
      expect(made.size).to.equal(7);
    });
  });

  describe("in time", () => {
    beforeEach(async () => serve());

    it("ends a request whose body does not begin, or whose small body is not there whole", async () => {
      for (const sent of [
        "Content-Length: 1\r\n\r\n",
        "Content-Length: 8000\r\n\r\nhalf of it",
        "Content-Length: 100000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n",
      ]) {
        const stalled = Raw.open(trial.running.port, `POST / HTTP/1.1\r\nHost: a.localhost\r\n${sent}`);
        await eventually(`it is over: ${sent}`, () => stalled.isClosed, 8000);
        expect(stalled.text, sent).to.match(/^HTTP\/1\.1 408 /);
      }
      expect(web.requests).to.equal(0);
    });

    it("ends a small body that comes drop by drop", async () => {
      const dripping = Raw.open(
        trial.running.port,
        "POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 8000\r\n\r\n",
      );
      await eventually("it is over", () => {
        dripping.send("x");
        return dripping.isClosed;
      });
      expect(dripping.text).to.match(/^HTTP\/1\.1 408 /);
    });

    it("passes a body on as it comes, and asks for one that waits to be asked for", async () => {
      const first = Raw.open(
        trial.running.port,
        "POST /bytes HTTP/1.1\r\nHost: a.localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
      );
      await eventually("the first byte is there", () => first.text.includes("1 byte\n"));
      first.close();
      for (const length of [10, 100_000]) {
        const body = "x".repeat(length);
        const outgoing = request({
          ...question("/seen"),
          headers: { host: "a.localhost", expect: "100-continue", "content-length": length },
          method: "POST",
          agent: false,
        });
        outgoing.once("continue", () => outgoing.end(body)).flushHeaders();
        const answer = await new Promise<IncomingMessage>((resolve, reject) => {
          outgoing.once("response", resolve).once("error", reject);
        });
        expect(answer.statusCode, String(length)).to.equal(200);
        answer.resume();
      }
    });

    it("takes a long body that goes on, however slowly", async () => {
      const outgoing = request({ ...question("/seen"), method: "POST", agent: false });
      const answer = new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.once("response", resolve).once("error", reject);
      });
      const began = Date.now();
      await eventually("it took longer than a stall may", () => {
        outgoing.write("x".repeat(1000));
        return Date.now() - began > 6000;
      });
      outgoing.end();
      expect((await answer).statusCode).to.equal(200);
    });

    it("ends a long body that stalls after it has begun, and the instance learns of it", async () => {
      for (const sent of [
        "Content-Length: 100000\r\n\r\nits beginning",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nits\r\n",
      ]) {
        const stalled = Raw.open(trial.running.port, `POST /seen HTTP/1.1\r\nHost: a.localhost\r\n${sent}`);
        await eventually("it has reached the instance", () => web.receiving === 1);
        await eventually(`it is over: ${sent}`, () => stalled.isClosed);
        expect(stalled.text, sent).to.match(/^HTTP\/1\.1 504 /);
        await eventually("the instance waits no more", () => web.receiving === 0);
      }
    });

    it("lets an instance think about a long body for as long as a stall may take, and a stream after it be silent", async () => {
      const long = "x".repeat(100_000);
      const [thinks, stream] = await Promise.all([
        trial.post("a", "/?ms=2500", long),
        trial.post("a", "/event?ms=2500", long),
      ]);
      expect(thinks.body).to.equal("v1");
      expect(stream.body).to.equal("data: v1\n\ndata: end\n\n");
    });

    it("lets an instance think, a stream be silent and a WebSocket idle for longer than any of that", async () => {
      const thinks = trial.get("a", "/?ms=6000");
      const thinksOfPost = trial.post("a", "/?ms=6000", "body");
      const socket = await Upgraded.open(trial.running.port, "a");
      const stream = await get("/event?ms=6000");
      let events = "";
      stream.setEncoding("utf8").on("data", (text: string) => (events += text));
      await new Promise((resolve, reject) => stream.once("end", resolve).once("error", reject));
      expect(events).to.equal("data: v1\n\ndata: end\n\n");
      for (const { status } of [await thinks, await thinksOfPost]) expect(status).to.equal(200);
      expect(await socket.echo("still")).to.equal("v1");
      socket.close();
    });
  });

  const question = (
    path: string,
  ): { host: string; port: number; path: string; headers: { host: string } } => ({
    host: "127.0.0.1",
    port: trial.running.port,
    path,
    headers: { host: "a.localhost" },
  });

  async function get(path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      request({ ...question(path), agent: false }, (response) =>
        resolve(response.on("error", () => undefined)),
      )
        .on("error", reject)
        .end();
    });
  }

  /** What the instance sees of a request that comes from there; several lines of a name are told as one that nobody sends. */
  async function headersOf(
    localAddress: string,
    headers: Record<string, string | string[]>,
  ): Promise<Record<string, string>> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const of = { ...question("/headers"), headers: { host: "a.localhost:8080", ...headers } };
      request({ ...of, localAddress, agent: false }, resolve)
        .on("error", reject)
        .end();
    });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const raw = JSON.parse(Buffer.concat(chunks).toString()) as string[];
    const seen: Record<string, string> = {};
    for (let index = 0; index < raw.length; index += 2) {
      const [name = "", value = ""] = [raw[index]?.toLowerCase(), raw[index + 1]];
      seen[name] = name in seen ? `${seen[name] ?? ""} AND ${value}` : value;
    }
    return seen;
  }
});

/** Wakes the release that has its instance there; it runs already. Returns how to stop. */
async function startWaker(folder: string, address: string): Promise<() => Promise<void>> {
  const own = await OwnRedis.start();
  await new RouteTables(own.redis).update("a", (table) => ({
    ...table,
    tracks: { production: 1 },
    releases: [
      {
        ...{ number: 1, track: "production", sticky: false, drainSeconds: 1, standbySeconds: 0 },
        ...{ sessionIdleSeconds: 1, asleep: false, sleepSeconds: 0, expireSeconds: 0, since: 0 },
        servers: [{ id: "a.v1.web.1", address }],
      },
    ],
  }));
  const path = paths.wakeSocket(folder);
  const waking = await new Waker({ redis: own.redis, path, header: WAKE_HEADER, log: silentLog }).start();
  return async () => {
    await waking.stop();
    await own.stop();
  };
}

/** A connection on which some bytes are sent and no more. */
class Raw {
  text = "";
  isClosed = false;

  private constructor(private readonly socket: Socket) {
    socket.on("data", (bytes) => (this.text += bytes.toString("latin1")));
    socket.on("error", () => undefined).on("close", () => (this.isClosed = true));
  }

  static open(port: number, bytes: string): Raw {
    const socket = connect(port, "127.0.0.1");
    const raw = new Raw(socket);
    raw.send(bytes);
    return raw;
  }

  send(bytes: string): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Sends no more, and goes on reading. */
  end(): void {
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }
}
