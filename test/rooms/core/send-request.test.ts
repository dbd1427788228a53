import { expect } from "chai";
import type { ServerResponse } from "node:http";
import { DeliveryError } from "../../../core/outbox/delivery-error.js";
import { AddressPolicy } from "../../../core/network/address-policy.js";
import { parseRetryAfter, sendRequest } from "../../../core/network/send-request.js";
import { freePort } from "../../support/network/free-port.js";
import { HttpReceiver } from "../../support/network/http-receiver.js";

const LOOPBACK = new AddressPolicy(["127.0.0.0/8"]);

describe("a request to another's server", () => {
  let receiver: HttpReceiver;
  beforeEach(async () => (receiver = await HttpReceiver.start()));
  afterEach(async () => receiver.stop());

  it("arrives as it was given, and tells what was answered", async () => {
    receiver.answer = (response) => response.writeHead(201).end("made");
    expect(await send("/hook?token=x")).to.deep.equal({ status: 201, text: "made" });
    const [got] = receiver.received;
    expect(got).to.include({ method: "POST", path: "/hook?token=x", body: '{"a":"ž"}' });
    expect(got?.headers).to.include({ "content-type": "application/json", "x-own": "1" });
  });

  it("reads 64 KiB of an answer, and leaves the rest", async () => {
    // It does not end by itself.
    receiver.answer = (response) => response.write("x".repeat(1_000_000));
    expect((await send()).text).to.have.length(65_536);
  });

  it("is worth another try when the receiver is not well, too busy or too slow", async () => {
    for (const status of [500, 502, 503, 408, 425, 429, 302]) {
      receiver.answer = (response) => response.writeHead(status, { location: "/x" }).end();
      expect(await problem(), String(status)).to.include({ isFinal: false, retryAfterMs: undefined });
    }
    receiver.answer = () => undefined;
    const silent = await problem({ timeoutMs: 50 });
    expect(silent).to.include({ isFinal: false });
    expect(silent.message).to.equal(`127.0.0.1:${receiver.port} did not answer within 0.05 s`);
    receiver.answer = (response) => response.destroy();
    expect(await problem()).to.include({ isFinal: false });
  });

  it("is not worth another try when it is refused or has moved", async () => {
    for (const status of [400, 401, 403, 404, 410, 413, 422, 301, 308]) {
      receiver.answer = (response) => response.writeHead(status, { location: "/x" }).end();
      expect(await problem(), String(status)).to.include({ isFinal: true });
    }
  });

  it("follows no redirect", async () => {
    const other = await HttpReceiver.start();
    try {
      for (const status of [301, 302, 303, 307, 308]) {
        receiver.answer = (response) => response.writeHead(status, { location: other.url("/caught") }).end();
        expect((await problem()).message).to.include("a redirect, which is not followed");
      }
      expect(other.received).to.deep.equal([]);
    } finally {
      await other.stop();
    }
  });

  it("tells when the receiver wants the next, in seconds or as a date", async () => {
    receiver.answer = (response) => response.writeHead(429, { "retry-after": "120" }).end();
    expect(await problem()).to.include({ retryAfterMs: 120_000 });
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(parseRetryAfter("Thu, 01 Jan 2026 00:01:00 GMT", now)).to.equal(60_000);
    expect(parseRetryAfter("Wed, 31 Dec 2025 00:01:00 GMT", now)).to.equal(0);
    expect(parseRetryAfter("soon", now)).to.equal(undefined);
    expect(parseRetryAfter(undefined, now)).to.equal(undefined);
  });

  it("names the host and the answer in what went wrong, but no path or query, and no control characters", async () => {
    receiver.answer = (response) =>
      response.writeHead(400).end(`invalid\n\u001b[31mpayload ${"x".repeat(1000)}`);
    const { message } = await problem({ path: "/secret-path?secret=query" });
    expect(message).to.match(/^127\.0\.0\.1:\d+ answered 400: invalid \[31mpayload x{100,200}$/);
    const port = await freePort();
    const refused = await failureOf(
      sendRequest(
        { method: "POST", url: `http://127.0.0.1:${port}/secret`, headers: {}, body: "" },
        { addresses: LOOPBACK, signal: new AbortController().signal, timeoutMs: 1000 },
      ),
    );
    expect(refused).to.be.instanceOf(DeliveryError).and.to.include({ isFinal: false });
    expect(refused.message).to.equal(`127.0.0.1:${port} cannot be reached (ECONNREFUSED)`);
  });

  it("goes to no address that the policy refuses, by whatever name, and says how to allow it", async () => {
    for (const host of ["127.0.0.1", "localhost", "0x7f.1"]) {
      const error = await failureOf(
        sendRequest(
          { method: "POST", url: `http://${host}:${receiver.port}/`, headers: {}, body: "" },
          {
            addresses: new AddressPolicy([]),
            signal: new AbortController().signal,
            timeoutMs: 1000,
          },
        ),
      );
      expect(error).to.be.instanceOf(DeliveryError);
      expect(error.message).to.match(/address of this machine or of a private network.*network\.allow/);
    }
    expect(receiver.received).to.deep.equal([]);
  });

  it("is broken off with the signal's own reason", async () => {
    const stop = new AbortController();
    const reason = new Error("the server stops");
    receiver.answer = () => stop.abort(reason);
    expect(await failureOf(send("/", { signal: stop.signal }))).to.equal(reason);
  });

  it("ends when an answer's body never does", async () => {
    receiver.answer = (response: ServerResponse) => response.writeHead(200).write("so far");
    expect(await problem({ timeoutMs: 100 })).to.include({ isFinal: false });
  });

  async function send(
    path = "/",
    {
      signal = new AbortController().signal,
      timeoutMs = 5000,
    }: { signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<{ status: number; text: string }> {
    const headers = { "content-type": "application/json", "x-own": "1" };
    const request = { method: "POST", url: receiver.url(path), headers, body: '{"a":"ž"}' };
    return sendRequest(request, { addresses: LOOPBACK, signal, timeoutMs });
  }

  async function problem({
    path = "/",
    ...options
  }: { path?: string; timeoutMs?: number } = {}): Promise<DeliveryError> {
    const error = await failureOf(send(path, options));
    if (error instanceof DeliveryError) return error;
    throw error;
  }
});

async function failureOf(sending: Promise<unknown>): Promise<Error> {
  const error: unknown = await sending.then(
    () => new Error("it was delivered"),
    (failure: unknown) => failure,
  );
  return error instanceof Error ? error : new Error(String(error));
}
