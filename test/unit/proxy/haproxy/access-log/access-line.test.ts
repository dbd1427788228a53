import { expect } from "chai";
import fc from "fast-check";
import { BlockList } from "node:net";
import { parseAccessLine } from "../../../../../proxy/haproxy/access-log/access-line.js";

const NOBODY = new BlockList();
const base64 = (text: string | Buffer): string => Buffer.from(text).toString("base64");

interface Parts {
  readonly slot?: string;
  readonly timers?: string;
  readonly source?: string;
  readonly path?: string | Buffer;
  readonly userAgent?: string | Buffer;
  readonly forwarded?: readonly string[];
}

function lineOf({
  slot = "shop/v2|slot-00001|production|free|v2",
  timers = "200 73 1 2 3 40 60",
  source = "10.0.0.1",
  path = "/",
  userAgent = "",
  forwarded = [],
}: Parts = {}): string {
  const visit = [
    base64("GET"),
    base64(path),
    "1.1",
    "",
    base64("shop.test"),
    base64(userAgent),
    "",
    base64("id"),
  ];
  return [
    "access1 shop/production",
    slot,
    "1795897023822532",
    timers,
    source,
    ...visit,
    ...forwarded.map(base64),
  ].join(" ");
}

describe("a line that HAProxy writes of a request", () => {
  it("becomes an entry", () => {
    expect(parseAccessLine(lineOf({ path: "/a" }), NOBODY)).to.deep.equal({
      ...{ time: "2026-11-28T20:17:03.822Z", app: "shop", release: "v2", track: "production" },
      ...{
        method: "GET",
        path: "/a",
        status: 200,
        bytes: 73,
        milliseconds: 60,
        answeredAfterMilliseconds: 46,
      },
      ...{ address: "10.0.0.1", host: "shop.test", protocol: "h1", tls: null },
      ...{ userAgent: null, referer: null, requestId: "id" },
    });
  });

  it("tells of a request that no release or instance had", () => {
    const entry = parseAccessLine(lineOf({ slot: "-", timers: "-1 0 0 -1 -1 -1 12" }), NOBODY);
    expect(entry).to.include({ release: null, track: null, status: null, answeredAfterMilliseconds: null });
  });

  it("is none when it is cut, or another program's", () => {
    const line = lineOf();
    for (const text of [
      "",
      "12 events dropped",
      line.replace("access1", "access2"),
      line.replace("shop/", "../"),
    ])
      expect(parseAccessLine(text, NOBODY), text).to.equal(undefined);
    expect(parseAccessLine(line.split(" ").slice(0, -1).join(" "), NOBODY)).to.equal(undefined);
  });

  it("is one line of JSON whatever bytes the visitor sent", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = Buffer.from(bytes);
        const entry = parseAccessLine(lineOf({ path: text, userAgent: text }), NOBODY);
        const json = JSON.stringify(entry);
        expect(Buffer.from(json).every((byte) => byte >= 0x20)).to.equal(true);
        expect((JSON.parse(json) as { path: string }).path).to.equal(text.toString("utf8"));
      }),
    );
  });

  it("has the address that no trusted proxy has, and not what a visitor claims", () => {
    const trusted = new BlockList();
    trusted.addSubnet("10.0.0.0", 8, "ipv4");
    trusted.addAddress("fd00::1", "ipv6");
    const address = (source: string, ...forwarded: string[]): string | undefined =>
      parseAccessLine(lineOf({ source, forwarded }), trusted)?.address;
    expect(address("203.0.113.9", "203.0.113.9")).to.equal("203.0.113.9");
    expect(address("10.0.0.1", "10.0.0.1", "203.0.113.9", "8.8.8.8")).to.equal("203.0.113.9");
    expect(address("fd00::1", "fd00::1", "10.0.0.2", "2001:db8::5", "1.1.1.1")).to.equal("2001:db8::5");
    expect(address("10.0.0.1", "10.0.0.1", "unknown")).to.equal("10.0.0.1");
  });
});
