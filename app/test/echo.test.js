import { once } from "node:events";
import http from "node:http";
import { expect } from "chai";
import { WebSocket } from "ws";
import { echo } from "../echo.js";

describe("echo", () => {
  const identity = { release: "v42", instance: "web.1" };
  let server;
  let stopping;
  let origin;

  beforeEach(async () => {
    stopping = new AbortController();
    server = http.createServer().on("upgrade", echo({ identity, stopping: stopping.signal }));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    origin = `ws://127.0.0.1:${server.address().port}`;
  });
  afterEach(async () => {
    stopping.abort();
    server.close();
    await once(server, "close");
  });

  async function connect() {
    const socket = new WebSocket(`${origin}/echo?any=query`);
    const [hello] = await once(socket, "message");
    return { socket, hello: JSON.parse(hello) };
  }

  it("says first who it is, then sends back what it gets, text as text and bytes as bytes", async () => {
    const { socket, hello } = await connect();
    expect(hello).to.deep.equal(identity);
    for (const message of ["grüezi", Buffer.from([0, 255])]) {
      socket.send(message);
      const [answer, isBinary] = await once(socket, "message");
      expect(answer.equals(Buffer.from(message))).to.equal(true);
      expect(isBinary).to.equal(typeof message !== "string");
    }
    socket.close();
    await once(socket, "close");
  });

  it("says goodbye with 1001 when we stop", async () => {
    const { socket } = await connect();
    const closed = once(socket, "close");
    stopping.abort();
    const [code, reason] = await closed;
    expect(code).to.equal(1001);
    expect(String(reason)).to.equal("this release is stopping");
  });

  it("refuses a WebSocket elsewhere, and all once we stop", async () => {
    const refusal = async (path) => {
      const socket = new WebSocket(origin + path).on("error", () => {});
      const [req, res] = await once(socket, "unexpected-response");
      req.destroy();
      return res.statusCode;
    };
    expect(await refusal("/elsewhere")).to.equal(404);
    stopping.abort();
    expect(await refusal("/echo")).to.equal(503);
  });
});
